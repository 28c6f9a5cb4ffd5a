/** How the sandbox answers in a provider's place: as strictly as the provider, in its own words. */

export interface SandboxAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** As JSON; null: none. */
  body: object | null;
}

/** What the list of messages shows, and is searched by. */
export interface SandboxEntry {
  /** Addresses of all recipients. */
  to: string[];
  subject: string;
  /** '' where the message names none. */
  segment: string;
}

/** What one message shows. */
export interface SandboxMessage extends SandboxEntry {
  from: string;
  html: string | null;
  text: string | null;
  /** Of the message, in the order shown. */
  headers: [string, string][];
  /** The ledger's id; null where another program sent it. */
  messageId: string | null;
}

/** When to come back, as a fault says it. */
export interface SandboxWait {
  resetInSeconds?: number | undefined;
  retryAfterSeconds?: number | undefined;
}

export interface SandboxProtocol {
  /** Path of the requests that hand a message over; they are posted. */
  readonly path: string;
  readonly largestBodyBytes: number;
  /**
   * Null where the request is authorised. `key`: the one that is; undefined: any of the right form.
   */
  unauthorised(authorization: string | undefined, key: string | undefined): SandboxAnswer | null;
  /** What the provider answers with this status. `now` is epoch milliseconds. */
  refusal(status: number, wait: SandboxWait, now: number): SandboxAnswer;
  /** Judges a request's body; null: larger than allowed. */
  take(contentType: string, body: Buffer | null): { entry: SandboxEntry } | { refused: SandboxAnswer };
  /** Where a message holds the ledger's id, in the provider's words. */
  readonly idField: string;
  /** `id`: as the provider would give it. */
  accepted(id: string): SandboxAnswer;
  /** `body`: one that was taken. */
  message(body: unknown): SandboxMessage;
}
