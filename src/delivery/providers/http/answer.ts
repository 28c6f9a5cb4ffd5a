/** What a provider's answer to one request means for the message: docs/delivery.md in code. */
import type { SendOutcome } from "../../types.js";

/** Below this, a reset is read as seconds from now: as epoch seconds it would lie before 2001. */
const EARLIEST_EPOCH_SECONDS = 1_000_000_000;

export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
  /** Whether it came to its end before the connection was cut or given up. */
  ended: boolean;
}

/** How one provider answers where a status doesn't say the same of all. */
export interface Answers {
  /** The header, in lower case, with the provider's id of a message that it accepted. */
  readonly idHeader: string;
  /** Statuses above 499 by which it says that it did not take the message. */
  readonly notTaken: ReadonlySet<number>;
  /** The wait after a 429 without any word on when, ms. */
  readonly wait429Ms: number;
  /** Its own words in the body of a refusal; null where the body holds none. */
  words(body: string): string | null;
}

/**
 * What speaks of the key, the account, the sender, the endpoint or the form of every request, and
 * not of the message: settling every claim as failed because of a mistyped URL could not be undone.
 * Of the redirects these three alone say that the request itself is to be made elsewhere (RFC 9110,
 * 15.4.2, 15.4.8, 15.4.9).
 */
const OF_THE_CHANNEL: ReadonlySet<number> = new Set([301, 307, 308, 401, 402, 403, 404, 405, 407, 410, 415, 421, 426]);
/**
 * Some servers answer 406 once the work is done, and gateways answer 408 for a request that the
 * server still works on.
 */
const UNCLEAR: ReadonlySet<number> = new Set([406, 408]);
/** For a request that the server has not begun with (RFC 8470, 5.2). */
const TOO_EARLY = 425;

/** What a proxy's or a portal's page comes as; a provider answers with JSON, or with nothing. */
const WEB_PAGE = /^\s*(?:text\/html|application\/xhtml\+xml)\b/iu;

/**
 * 2xx is accepted, but in doubt where it is a web page, unless `htmlOk`: a proxy may have answered.
 * What speaks of the channel stops it. 429, 425 and what the provider says so of were not handed
 * over. Other redirects and other 5xx are in doubt: 502, 504 and their like come from a gateway
 * that had passed the request on, or may have, and then knew no more. Every other 4xx is about this
 * message. An answer that would free the message is in doubt unless it is whole. `now` is epoch
 * milliseconds. Reasons are not yet redacted.
 */
export function outcomeOf(answer: Answer, now: number, answers: Answers, htmlOk: boolean): SendOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) {
    const type = one(answer, "content-type") ?? "";
    if (!htmlOk && WEB_PAGE.test(type))
      return { kind: "in_doubt", reason: `HTTP ${status} with a web page instead of the provider's answer${sentence(answer.body, answers)}` };
    return { kind: "accepted", providerId: one(answer, answers.idHeader) ?? null };
  }
  const reason = `HTTP ${status}${sentence(answer.body, answers)}`;
  const freed = freeing(answer, reason, now, answers);
  if (freed !== null) return isWhole(answer) ? freed : { kind: "in_doubt", reason: `an answer that is perhaps cut off: ${reason}` };
  if (status >= 400 && status < 500 && !UNCLEAR.has(status)) return { kind: "rejected", reason };
  return { kind: "in_doubt", reason };
}

/**
 * The outcome of an answer after which the message may be sent again; null if it is another answer.
 */
function freeing(answer: Answer, reason: string, now: number, { notTaken, wait429Ms }: Answers): SendOutcome | null {
  const { status } = answer;
  if (OF_THE_CHANNEL.has(status)) return { kind: "unauthorised", reason };
  if (status === 429) return { kind: "try_again", afterMs: waitOf(answer, now) ?? wait429Ms, reason };
  return status === TOO_EARLY || notTaken.has(status) ? { kind: "try_again", afterMs: waitOf(answer, now), reason } : null;
}

/**
 * Whether an answer that ended also says where it ends: one that only its connection ends may have
 * been cut.
 */
function isWhole(answer: Answer): boolean {
  if (!answer.ended) return false;
  const codings = [answer.headers["transfer-encoding"] ?? ""].flat().join();
  return one(answer, "content-length") !== undefined || /\bchunked\s*$/iu.test(codings);
}

/**
 * Milliseconds to wait by `X-RateLimit-Reset` (epoch seconds) and `Retry-After` (seconds or an HTTP
 * date), the longer of the two; null without either. Times are compared with the answer's own
 * `Date`, so that a clock set differently here does not shorten the wait.
 */
function waitOf(answer: Answer, now: number): number | null {
  const date = Date.parse(one(answer, "date") ?? "");
  const theirNow = Number.isNaN(date) ? now : date;
  const waits: number[] = [];

  const reset = one(answer, "x-ratelimit-reset")?.trim() ?? "";
  if (/^\d{1,12}(\.\d+)?$/u.test(reset)) {
    const seconds = Number(reset);
    waits.push(seconds < EARLIEST_EPOCH_SECONDS ? seconds * 1000 : seconds * 1000 - theirNow);
  }

  const retryAfter = one(answer, "retry-after")?.trim() ?? "";
  if (/^\d{1,9}(\.\d+)?$/u.test(retryAfter)) waits.push(Number(retryAfter) * 1000);
  else if (retryAfter !== "" && !Number.isNaN(Date.parse(retryAfter))) waits.push(Date.parse(retryAfter) - theirNow);

  return waits.length === 0 ? null : Math.max(0, ...waits);
}

function one(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * The provider's own words, else what was answered. Not cut here: half a key would no longer be
 * recognised as one.
 */
function sentence(body: string, answers: Answers): string {
  if (body.trim() === "") return "";
  return `: ${answers.words(body) ?? titleOf(body) ?? body.trim()}`;
}

/** The title of a web page; null without one. */
function titleOf(body: string): string | null {
  const title = /<title[^>]*>([^<]*)<\/title/iu.exec(body)?.[1]?.trim() ?? "";
  return title === "" ? null : title;
}
