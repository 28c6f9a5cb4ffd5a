/** The address of channels within the user's own product: the user's id, which every row has. */
import type { Address } from "./types.js";

export const userId: Address<"user_id"> = { column: "user_id", form: "user_id", check: null, isOne: () => true };
