/** The SendGrid provider: `@sendgrid/mail` makes the request, our own pool posts it. */
import { createRequire } from "node:module";
import { MailService } from "@sendgrid/mail";
import { hostClock } from "../../../core/clock.js";
import { OpportuneError } from "../../../core/errors.js";
import { isLoopback } from "../../../core/loopback.js";
import { scrub } from "../../../core/redact.js";
import { SENDGRID_ANSWERS } from "./answers.js";
import { LARGEST_BODY_BYTES, toSendGrid, type SendGridBody } from "./body.js";
import { PostingPool, type PoolClock } from "../http/pool.js";
import type { OutgoingMessage, Provider, SendOutcome } from "../../types.js";
import type { SendGridSettings } from "./settings.js";

/** What the sandbox is shown by a channel without a key. */
const SANDBOX_KEY = "SG.sandbox";

const realClock: PoolClock = {
  now: hostClock,
  every(ms, tick) {
    const timer = setInterval(tick, ms);
    // A sweep alone must not keep the process alive; the sockets do while anything is awaited.
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** What it needs of a channel. */
export type SendGridChannel = Omit<SendGridSettings, "onDoubt"> & { name: string; inFlight: number };

/**
 * A provider that posts to the channel's endpoint with its key. Connections are opened with the
 * first message. `compareClocks`: an answer whose `Date` is far from this machine's clock says so.
 * Throws OpportuneError `delivery/no-key` without a key where the channel is not the sandbox,
 * `delivery/endpoint` for a URL that would show the key to the network or is none.
 */
export function createSendGridProvider(
  channel: SendGridChannel,
  { clock = realClock, compareClocks = false }: { clock?: PoolClock; compareClocks?: boolean } = {},
): Provider {
  const endpoint = endpointOf(channel);
  const key = keyOf(channel);
  return new SendGridProvider(
    new PostingPool({
      endpoint,
      authorization: `Bearer ${key}`,
      connections: channel.inFlight,
      timeoutMs: channel.timeoutSeconds * 1000,
      largestBodyBytes: LARGEST_BODY_BYTES,
      compareClocks,
      answers: SENDGRID_ANSWERS,
      htmlOk: channel.htmlOk,
      clock,
    }),
    key,
  );
}

class SendGridProvider implements Provider {
  readonly #pool: PostingPool;
  readonly #client: PoolClient;
  readonly #service = new MailService();
  readonly #key: string;

  constructor(pool: PostingPool, key: string) {
    this.#pool = pool;
    this.#key = key;
    this.#client = new PoolClient(pool);
    this.#service.setClient(this.#client as unknown as Parameters<MailService["setClient"]>[0]);
  }

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const body = toSendGrid(message);
    const outcome: SendOutcome = "refused" in body ? { kind: "rejected", reason: body.refused, unposted: true } : await this.#post(body, signal);
    if (outcome.kind === "accepted") return outcome;
    return { ...outcome, reason: scrub(outcome.reason, [this.#key], [message.address]) };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #post(body: SendGridBody, signal: AbortSignal): Promise<SendOutcome> {
    try {
      this.#client.signal = signal;
      const answer: unknown = await this.#service.send(new ReadyMail(body) as unknown as Parameters<MailService["send"]>[0]);
      return answer as SendOutcome;
    } catch (error) {
      // The client answers with outcomes, so this is the library refusing the message before it
      // reached the client.
      return { kind: "rejected", reason: error instanceof Error ? error.message : "the SendGrid library refused the message", unposted: true };
    }
  }
}

/**
 * `@sendgrid/mail` calls `request` before `send` returns, so a signal set right before belongs to
 * this message. Its `headers` are the mail's own and would travel as headers of the HTTP request:
 * they are left out, as the body holds them.
 */
class PoolClient {
  signal: AbortSignal = new AbortController().signal;
  readonly #pool: PostingPool;

  constructor(pool: PostingPool) {
    this.#pool = pool;
  }

  request(request: { url: string; body: unknown }): Promise<SendOutcome> {
    return this.#pool.post(request.url, request.body, this.signal);
  }
}

/**
 * A mail whose body is ready. `MailService.send` takes an instance of the library's Mail as it is;
 * a plain object it copies twice through JSON, texts and all, and then renames every key: 80 of the
 * 114 µs that a mail of 6 kB took. Mail is reached through `@sendgrid/mail`, as only that copy of
 * the class is recognised.
 */
const { classes } = createRequire(createRequire(import.meta.url).resolve("@sendgrid/mail"))("@sendgrid/helpers") as {
  classes: { Mail: new () => object };
};

class ReadyMail extends classes.Mail {
  readonly #body: SendGridBody;

  constructor(body: SendGridBody) {
    super();
    this.#body = body;
  }

  toJSON(): SendGridBody {
    return this.#body;
  }
}

function endpointOf(channel: Pick<SendGridChannel, "name" | "endpoint">): URL {
  const url = URL.canParse(channel.endpoint) ? new URL(channel.endpoint) : null;
  if (url !== null && url.username === "" && url.password === "" && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname)))) {
    return url;
  }
  throw new OpportuneError({
    code: "delivery/endpoint",
    message: `channel ${channel.name}: the endpoint ${JSON.stringify(url === null ? channel.endpoint : url.origin)} can't be used`,
    hint: "Allowed: an https:// URL, or http:// on this machine (127.0.0.1, localhost, [::1]) for a relay or the sandbox; no user or password in it.",
  });
}

function keyOf(channel: Pick<SendGridChannel, "name" | "apiKey" | "sandbox">): string {
  const key = channel.apiKey?.trim() ?? "";
  if (/^[!-~]+$/u.test(key)) return key;
  if (key === "" && channel.sandbox) return SANDBOX_KEY;
  throw new OpportuneError({
    code: "delivery/no-key",
    message: `channel ${channel.name}: ${key === "" ? "no SendGrid key is set" : "the SendGrid key holds a character that no key has"}`,
    hint: "Set the variable that the channel's api_key names, for instance SENDGRID_API_KEY=SG.…",
  });
}
