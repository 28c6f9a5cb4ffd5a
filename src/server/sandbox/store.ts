/** The messages that the sandbox took: the newest, within a bound of number and bytes. */
import type { IncomingMessage } from "node:http";
import type { SandboxEntry, SandboxProtocol } from "../../delivery/providers/sandbox-protocol.js";

export interface StoredMessage {
  /** 1 for the first message since the sandbox began or was emptied. */
  order: number;
  /** As its provider's answer gave it. */
  id: string;
  /** ISO 8601, UTC. */
  receivedAt: string;
  /** Of the HTTP request, without Authorization. */
  headers: Readonly<Record<string, string>>;
  /** The request's body. */
  body: unknown;
}

/** What can be said of a message without reading its body. */
export type StoredEntry = Pick<StoredMessage, "order" | "id" | "receivedAt"> & Readonly<SandboxEntry>;

interface Kept extends SandboxEntry {
  /** That of the provider in whose place it was taken. */
  protocol: SandboxProtocol;
  order: number;
  id: string;
  receivedAt: number;
  headers: Readonly<Record<string, string>>;
  text: string;
}

/** Bodies are kept as received and read again when asked for: most never are. */
export class MessageStore {
  readonly #mostMessages: number;
  readonly #mostCharacters: number;
  readonly #kept = new Map<string, Kept>();
  #characters = 0;
  #count = 0;

  constructor(mostMessages: number, mostCharacters: number) {
    this.#mostMessages = mostMessages;
    this.#mostCharacters = mostCharacters;
  }

  /** `receivedAt` is epoch milliseconds; `to` holds the recipients' addresses. */
  add(message: Omit<Kept, "order">): void {
    this.#count += 1;
    this.#kept.set(message.id, { ...message, order: this.#count });
    this.#characters += message.text.length;
    for (const [id, oldest] of this.#kept) {
      if (this.#kept.size <= this.#mostMessages && (this.#characters <= this.#mostCharacters || this.#kept.size === 1)) break;
      this.#kept.delete(id);
      this.#characters -= oldest.text.length;
    }
  }

  get size(): number {
    return this.#kept.size;
  }

  /** The order of the newest message; 0 before the first. */
  get newest(): number {
    return this.#count;
  }

  get(id: string): StoredMessage | null {
    const kept = this.#kept.get(id);
    return kept === undefined ? null : opened(kept);
  }

  /** In which protocol a message was taken; null for one that is not kept. */
  protocolOf(id: string): SandboxProtocol | null {
    return this.#kept.get(id)?.protocol ?? null;
  }

  /** The newest `limit` messages, to one address (any case) if one is given, in the order received. */
  list(limit: number, to: string | null): StoredMessage[] {
    const wanted = to?.trim().toLowerCase() ?? null;
    const found = [...this.#kept.values()].filter((kept) => wanted === null || kept.to.some((address) => address.toLowerCase() === wanted));
    return limit <= 0 ? [] : found.slice(-limit).map(opened);
  }

  /** The newest `limit` messages that hold `words` (lower case) in an address, the subject or the segment, newest first; and how many there are. */
  search(words: string, limit: number): { found: number; messages: StoredEntry[] } {
    const found = [...this.#kept.values()].filter(
      ({ to, subject, segment }) => words === "" || [...to, subject, segment].some((text) => text.toLowerCase().includes(words)),
    );
    const newest = found.slice(-limit).reverse();
    return { found: found.length, messages: newest.map(entryOf) };
  }

  clear(): void {
    this.#kept.clear();
    this.#characters = 0;
    this.#count = 0;
  }
}

function entryOf({ order, id, receivedAt, to, subject, segment }: Kept): StoredEntry {
  return { order, id, receivedAt: new Date(receivedAt).toISOString(), to, subject, segment };
}

function opened(kept: Kept): StoredMessage {
  const body: unknown = JSON.parse(kept.text);
  return { order: kept.order, id: kept.id, receivedAt: new Date(kept.receivedAt).toISOString(), headers: kept.headers, body };
}

/** The request's headers for people to look at: the key is nobody's business, in a sandbox neither. */
export function shownHeaders(request: IncomingMessage): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name !== "authorization" && value !== undefined) shown[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return shown;
}
