import type { ChannelKind } from "./types.js";
import { userId } from "./user-id.js";

export const inApp: ChannelKind<"in_app", "user_id"> = { name: "in_app", address: userId, content: "text" };
