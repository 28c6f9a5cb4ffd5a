import { isAddress } from "../core/address.js";
import type { ChannelKind } from "./types.js";
import { BLANKS } from "./written-address.js";

/** RFC 5321, 4.5.3.1.3: a path is at most 256 octets with its brackets. */
const LONGEST = 254;

/** Quoting and separators: legal in theory, in practice a list of addresses or an injection. */
const SPECIALS = '<>,;:"()[]\\';

export const email: ChannelKind<"email", "email"> = {
  name: "email",
  address: {
    column: "email",
    form: "lower_case",
    check: {
      plain: "^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+$",
      longest: LONGEST,
      shape: { like: "_%@_%._%", unlike: "%@%@%" },
      unwanted: BLANKS + SPECIALS,
    },
    isOne: isAddress,
  },
  content: "email",
};
