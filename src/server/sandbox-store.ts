/** The messages that the sandbox took: the newest, within a bound of number and bytes. */

export interface StoredMessage {
  /** 1 for the first message since the sandbox began or was emptied. */
  order: number;
  /** As answered in `X-Message-Id`. */
  id: string;
  /** ISO 8601, UTC. */
  receivedAt: string;
  /** Of the HTTP request, without Authorization. */
  headers: Readonly<Record<string, string>>;
  /** The request's body. */
  body: unknown;
}

interface Kept {
  order: number;
  id: string;
  receivedAt: number;
  headers: Readonly<Record<string, string>>;
  text: string;
  to: readonly string[];
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

  /** `receivedAt` is epoch milliseconds; `to` holds the recipients in lower case. */
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

  get(id: string): StoredMessage | null {
    const kept = this.#kept.get(id);
    return kept === undefined ? null : opened(kept);
  }

  /** The newest `limit` messages, to one address (any case) if one is given, in the order received. */
  list(limit: number, to: string | null): StoredMessage[] {
    const wanted = to?.trim().toLowerCase() ?? null;
    const found = [...this.#kept.values()].filter((kept) => wanted === null || kept.to.includes(wanted));
    return limit <= 0 ? [] : found.slice(-limit).map(opened);
  }

  clear(): void {
    this.#kept.clear();
    this.#characters = 0;
    this.#count = 0;
  }
}

function opened(kept: Kept): StoredMessage {
  const body: unknown = JSON.parse(kept.text);
  return { order: kept.order, id: kept.id, receivedAt: new Date(kept.receivedAt).toISOString(), headers: kept.headers, body };
}
