/**
 * Posts to a provider through undici, by a proxy where there is one, and knows, for each request
 * that got no answer, whether it may have left.
 */
import type { Dispatcher } from "undici";
import { dispatcherTo } from "../../../core/outgoing.js";
import { wrongClock } from "./answer-date.js";
import { outcomeOf, type Answer, type Answers } from "./answer.js";
import type { SendOutcome } from "../../types.js";

/** Most of an error's body that is kept; a provider's explanation is far shorter. */
const LONGEST_ANSWER_CHARACTERS = 16_384;

/** What changes with time, injectable so that tests need not wait. */
export interface PoolClock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls `tick` about every `ms` until the returned function is called. */
  every(ms: number, tick: () => void): () => void;
}

export interface PoolOptions {
  /** Base URL, e.g. `https://api.example.com`. */
  endpoint: URL;
  /** The whole Authorization header. */
  authorization: string;
  connections: number;
  /** From the call of `post` to the last byte of the answer, connecting included. */
  timeoutMs: number;
  largestBodyBytes: number;
  /** Whether answers whose `Date` is far from the clock say so. */
  compareClocks: boolean;
  /** How the provider answers. */
  answers: Answers;
  /** Whether a web page with a status of 2xx is the provider's answer. */
  htmlOk: boolean;
  clock: PoolClock;
}

/** Posts bodies; every request settles with an outcome, never with an error. */
export class PostingPool {
  readonly #pool: Dispatcher;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: PoolOptions;
  /** In the order begun: as all have the same timeout, the first is the first to be late. */
  readonly #underWay = new Set<Exchange>();
  readonly #signals = new WeakSet<AbortSignal>();
  readonly #closed = new AbortController();
  #stopSweeping: (() => void) | null = null;

  constructor(options: PoolOptions) {
    const { endpoint, timeoutMs } = options;
    this.#options = options;
    this.#path = endpoint.pathname.replace(/\/+$/u, "");
    this.#headers = { authorization: options.authorization, "content-type": "application/json", accept: "application/json" };
    this.#pool = dispatcherTo(endpoint.origin, {
      connections: options.connections,
      pipelining: 1,
      // Behind the sweep below, which bounds the whole exchange; these see a socket that went quiet
      // in between.
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: { timeout: timeoutMs },
    });
  }

  /** Posts to `path` below the endpoint. `path` begins with a slash. */
  post(path: string, body: unknown, signal: AbortSignal): Promise<SendOutcome> {
    if (signal.aborted) return Promise.resolve({ kind: "try_again", afterMs: null, reason: "given up before the request was sent" });
    const text = JSON.stringify(body);
    // UTF-8 takes at most 3 bytes for a UTF-16 unit; only what might be too large is worth
    // measuring.
    if (text.length * 3 > this.#options.largestBodyBytes && Buffer.byteLength(text) > this.#options.largestBodyBytes) {
      return Promise.resolve({ kind: "rejected", reason: `the message would exceed ${this.#options.largestBodyBytes} bytes`, unposted: true });
    }
    this.#listen(signal);
    this.#stopSweeping ??= this.#options.clock.every(Math.max(5, Math.min(250, this.#options.timeoutMs / 10)), () => setImmediate(() => this.#sweep()));
    return new Promise((resolve) => {
      const exchange: Exchange = new Exchange(signal, this.#options, (outcome) => {
        this.#underWay.delete(exchange);
        resolve(outcome);
      });
      this.#underWay.add(exchange);
      try {
        this.#pool.dispatch(
          { origin: this.#options.endpoint.origin, path: this.#path + path, method: "POST", headers: this.#headers, body: text, idempotent: false },
          exchange,
        );
      } catch (error) {
        exchange.fail(error);
      }
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#stopSweeping?.();
    this.#stopSweeping = null;
    await this.#pool.destroy();
  }

  /**
   * After a look at the sockets: an answer that came while this process stood still (a debugger, a
   * closed lid) is no silence.
   */
  #sweep(): void {
    const late = this.#options.clock.now() - this.#options.timeoutMs;
    for (const exchange of this.#underWay) {
      if (exchange.begunAt > late) return;
      exchange.giveUp(`no answer within ${this.#options.timeoutMs / 1000} seconds`);
    }
    if (this.#underWay.size === 0) {
      this.#stopSweeping?.();
      this.#stopSweeping = null;
    }
  }

  /** One listener a signal, not one a request: a run shares its signal among all its messages. */
  #listen(signal: AbortSignal): void {
    if (this.#signals.has(signal)) return;
    this.#signals.add(signal);
    const giveUp = (): void => {
      for (const exchange of [...this.#underWay]) if (exchange.signal === signal) exchange.giveUp("given up while waiting for the answer");
    };
    signal.addEventListener("abort", giveUp, { signal: this.#closed.signal });
  }
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly begunAt: number;
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #answeredAt = 0;
  #headers: Readonly<Record<string, string | string[] | undefined>> = {};
  #body = "";
  #settle: ((outcome: SendOutcome) => void) | null;

  constructor(
    readonly signal: AbortSignal,
    readonly options: Pick<PoolOptions, "clock" | "compareClocks" | "answers" | "htmlOk">,
    settle: (outcome: SendOutcome) => void,
  ) {
    this.begunAt = options.clock.now();
    this.#settle = settle;
  }

  /**
   * undici calls this right before it writes to a socket, and again if it were to write a second
   * time.
   */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settle === null || this.#controller !== null) {
      controller.abort(new Error("this request must not be written"));
      return;
    }
    this.#controller = controller;
  }

  /**
   * undici hands an interim answer (1xx) over as well: that is not an answer, and the one that is
   * may never come.
   */
  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    if (status < 200) return;
    this.#status = status;
    this.#answeredAt = this.options.clock.now();
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body.length < LONGEST_ANSWER_CHARACTERS) this.#body += chunk.toString("utf8");
  }

  onResponseEnd(): void {
    this.#end(true, "the answer has no status");
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: unknown): void {
    this.fail(error);
  }

  fail(error: unknown): void {
    this.#end(false, describe(error));
  }

  giveUp(reason: string): void {
    const controller = this.#controller;
    this.#end(false, reason);
    controller?.abort(new Error(reason));
  }

  /**
   * Settles by the answer if its status and headers came, whether or not it ended. Without an
   * answer nothing left as long as undici had not begun to write: from then on no error proves that
   * the provider has not got the request.
   */
  #end(ended: boolean, unanswered: string): void {
    const { clock, answers, htmlOk } = this.options;
    if (this.#status !== 0) this.#finish({ ...outcomeOf(this.#answer(ended), clock.now(), answers, htmlOk), ...this.#clockProblem() });
    else if (this.#controller === null) this.#finish({ kind: "try_again", afterMs: null, reason: unanswered });
    else this.#finish({ kind: "in_doubt", reason: unanswered });
  }

  #answer(ended: boolean): Answer {
    return { status: this.#status, headers: this.#headers, body: this.#body, ended };
  }

  #clockProblem(): Pick<SendOutcome, "wrongClock"> {
    const date = [this.#headers["date"] ?? []].flat()[0];
    const problem = this.options.compareClocks ? wrongClock(date, this.begunAt, this.#answeredAt) : null;
    return problem === null ? {} : { wrongClock: problem };
  }

  #finish(outcome: SendOutcome): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(outcome);
  }
}

/** Code and message alone: an error object may carry the request, and with it the key. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return "the connection failed";
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  const message =
    error.message === "" && error instanceof AggregateError
      ? error.errors.map((inner) => (inner instanceof Error ? inner.message : "")).join(", ")
      : error.message;
  return message.includes(code) ? message : `${code}: ${message}`;
}
