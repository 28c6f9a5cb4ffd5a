import type { ChannelKind } from "./types.js";
import { writtenAddress } from "./written-address.js";

export const sms: ChannelKind<"sms", "phone"> = { name: "sms", address: writtenAddress("phone"), content: "text" };
