/** What the provider's id of a message begins with that became a file. */
export const OUTBOX_ID = "outbox:";
