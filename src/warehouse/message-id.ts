/** Hashes that decisions hang on, as SQL: the same on every warehouse. */
import type { Dialect } from "./dialect.js";

/** The columns that a message's id is made of, in SQL. */
interface MessageIdParts {
  salt: string;
  /** Alias of the rows, which have segment, step, user_id and item_key. */
  of: string;
  /** The behaviour; in a journey, its anchor. */
  anchor: string;
  /** `never` leaves the behaviour out: a message once in a lifetime. */
  repeatKind: string;
  /** A trial's messages have ids of their own. */
  trial: boolean;
}

/** SQL of a message's id, the same for whatever is said of it; see "Buckets" in docs/decisions.md. */
export function messageId({ salt, of, anchor, repeatKind, trial }: MessageIdParts, dialect: Dialect): string {
  const behaviour = `case when ${repeatKind} = 'never' then '' else cast(${dialect.microseconds(anchor)} as ${dialect.types.text}) end`;
  const parts = [salt, `${of}.segment`, `${of}.step`, `${of}.user_id`, `${of}.item_key`, behaviour];
  // Only what is set is added: all other ids stay as they are.
  return dialect.md5(canonicalText(trial ? [...parts, "'trial'"] : parts, dialect));
}

/** The SQL of a hash's canonical text, `<length>:<text>` of each part, joined by commas; see "Buckets" in docs/decisions.md. */
export function canonicalText(parts: readonly string[], dialect: Dialect): string {
  return parts.map((part) => `cast(length(${part}) as ${dialect.types.text}) || ':' || ${part}`).join(" || ',' || ");
}
