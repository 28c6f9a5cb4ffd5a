/** What SendGrid's answer to one request means for the message. */
import type { SendOutcome } from "./types.js";

/** A 429 without any word on when: SendGrid's shortest refresh period is a second. */
const DEFAULT_429_WAIT_MS = 1000;
/** Below this, a reset is read as seconds from now: as epoch seconds it would lie before 2001. */
const EARLIEST_EPOCH_SECONDS = 1_000_000_000;

export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
}

/**
 * What speaks of the key, the account, the sender, the endpoint or the form of every request, and not of the message: settling
 * every claim as failed because of a mistyped URL could not be undone.
 */
const OF_THE_CHANNEL: ReadonlySet<number> = new Set([401, 402, 403, 404, 405, 406, 407, 410, 415, 421, 426]);
/** The server gave up before it had the request, or as it had not begun with it (RFC 9110, 15.5.9; RFC 8470, 5.2). */
const NOT_BEGUN: ReadonlySet<number> = new Set([408, 425]);
/** SendGrid's own words for a mail that it did not take: 500 "an error occurred on a SendGrid server", 503 "not available". */
const NOT_TAKEN: ReadonlySet<number> = new Set([500, 503]);

/**
 * 2xx is accepted. Redirects and what speaks of the channel stop it. 429, 408, 425, 500 and 503 were not handed over. Any other
 * 5xx is in doubt: 502, 504 and their like come from a gateway that had passed the request on, or may have, and then knew no
 * more. Every other 4xx is about this message.
 * `now` is epoch milliseconds. Reasons are not yet redacted.
 */
export function outcomeOf(answer: Answer, now: number): SendOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) {
    return { kind: "accepted", providerId: one(answer, "x-message-id") ?? null };
  }
  const reason = `HTTP ${status}${sentence(answer.body)}`;
  if (status < 400 || OF_THE_CHANNEL.has(status)) return { kind: "unauthorised", reason };
  if (status === 429) return { kind: "try_again", afterMs: waitOf(answer, now) ?? DEFAULT_429_WAIT_MS, reason };
  if (NOT_BEGUN.has(status) || NOT_TAKEN.has(status)) return { kind: "try_again", afterMs: waitOf(answer, now), reason };
  if (status >= 500) return { kind: "in_doubt", reason };
  return { kind: "rejected", reason };
}

/**
 * Milliseconds to wait by `X-RateLimit-Reset` (epoch seconds) and `Retry-After` (seconds or an HTTP date), the longer of the
 * two; null without either. Times are compared with the answer's own `Date`, so that a clock set differently here does not
 * shorten the wait.
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
 * SendGrid's `errors: [{message, field}]` as text, else what was answered. Not cut here: half a key would no longer be
 * recognised as one.
 */
function sentence(body: string): string {
  if (body.trim() === "") return "";
  try {
    const parsed: unknown = JSON.parse(body);
    const errors: unknown = typeof parsed === "object" && parsed !== null && "errors" in parsed ? parsed.errors : null;
    if (Array.isArray(errors)) {
      const lines = errors.map(errorLine).filter((line) => line !== "");
      if (lines.length > 0) return `: ${lines.join("; ")}`;
    }
  } catch {
    // Not JSON: a proxy's page, most likely.
  }
  return `: ${body.trim()}`;
}

function errorLine(error: unknown): string {
  if (typeof error !== "object" || error === null || !("message" in error) || typeof error.message !== "string") return "";
  const field = "field" in error && typeof error.field === "string" && error.field !== "" ? ` (${error.field})` : "";
  return `${error.message}${field}`;
}
