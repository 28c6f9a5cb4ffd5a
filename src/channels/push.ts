import type { ChannelKind } from "./types.js";
import { writtenAddress } from "./written-address.js";

export const push: ChannelKind<"push", "device_token"> = { name: "push", address: writtenAddress("device_token"), content: "text" };
