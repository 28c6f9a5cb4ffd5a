/** Addresses that only their provider can judge: a phone number, a device's token. */
import type { Address } from "./types.js";

/** White space and control characters: never part of an address, and the way into headers. */
export const BLANKS =
  Array.from({ length: 33 }, (_, code) => String.fromCharCode(code))
    .slice(1)
    .join("") + "\u007f\u0085\u00a0\u2028\u2029";

/** An address of any form without blanks, kept as written. */
export function writtenAddress<const Column extends string>(column: Column): Address<Column> {
  return {
    column,
    form: "as_written",
    check: { plain: "^[A-Za-z0-9._:+-]+$", longest: null, shape: null, unwanted: BLANKS },
    isOne: () => true,
  };
}
