/** Why nothing may be sent from here: the ledger belongs to another database, or this one has lost what tells it from a copy. */
export type Stranger = "copy" | "no_id";

/** What is said of a stranger, with the way out. */
export function strangerWords(stranger: Stranger, schema: string): { message: string; hint: string } {
  if (stranger === "copy") {
    return {
      message: `The ledger in schema ${schema} came from another database: this one is a copy or a restore, and nothing is sent from it.`,
      hint: "In a copy, set `live: false` on its target. If this database is to send from now on, and the other no more, run `opportune ledger adopt`; messages sent since the copy was made are unknown to it.",
    };
  }
  return {
    message: `The DuckDB file of the ledger in schema ${schema} has no id beside it: it was copied or moved without its file .opportune, and nothing is sent from it.`,
    hint: "If this is the original, put its file .opportune back; a ledger of an earlier version gets one from `opportune ledger install`. In a copy, set `live: false` on its target. If it is to send from now on, and the other no more, run `opportune ledger adopt`; messages sent since the copy was made are unknown to it.",
  };
}
