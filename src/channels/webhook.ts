import type { ChannelKind } from "./types.js";
import { userId } from "./user-id.js";

export const webhook: ChannelKind<"webhook", "user_id"> = { name: "webhook", address: userId, content: "text" };
