/** Requests to BigQuery's REST API, made again where it says to come back. */
import { setTimeout as delay } from "node:timers/promises";
import type { BigQuery } from "@google-cloud/bigquery";
import { formatDuration } from "../../core/durations.js";
import { within } from "../../core/within.js";

/** How long an HTTP request may take beyond what it waits for, ms. */
export const ANSWER_MS = 30_000;
/** Pauses between attempts, ms, doubled each time, with full jitter: https://cloud.google.com/bigquery/docs/error-messages. */
const BACKOFF_MS = { first: 500, most: 16_000 };
/** Reasons with which BigQuery refuses a request that may be made again. */
const TRANSIENT = new Set(["rateLimitExceeded", "jobRateLimitExceeded", "backendError", "internalError"]);

export interface ErrorBody {
  reason?: string;
  message?: string;
}

/** What BigQuery says of a request or of a job that failed, and nothing of the request itself, which carries the token. */
export class JobError extends Error {
  readonly reason: string;
  /** HTTP status; null: there was no answer. */
  readonly status: number | null;
  constructor(message: string, reason: string, status: number | null) {
    super(message);
    this.reason = reason;
    this.status = status;
  }
}

/** What one signed-in client asks; `uri` is below the project. */
export class Requests {
  readonly #client: BigQuery;

  constructor(client: BigQuery) {
    this.#client = client;
  }

  /** Makes a request, again where it got no answer or one that says to come back, until the deadline or a failure that is for good. */
  async again(request: Request, deadline: number, failure?: () => Promise<JobError | null>): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.once(request);
      } catch (error) {
        const pause = Math.random() * Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** attempt);
        if (!(error instanceof JobError) || !isTransient(error) || performance.now() + pause > deadline) throw error;
        const final = await failure?.();
        if (final !== undefined && final !== null) throw final;
        await delay(pause);
      }
    }
  }

  /** Makes a request once. The client takes a timeout and does nothing with it (teeny-request 10 on node-fetch 3): a request that hangs is given up here. */
  once({ timeout, ...request }: Request): Promise<unknown> {
    const answer = new Promise((resolve, reject) => {
      this.#client.request(request, (error: unknown, body: unknown) => {
        if (error === null || error === undefined) resolve(body);
        else reject(readError(error));
      });
    });
    return within(answer, timeout, () => new JobError(`no answer within ${formatDuration(timeout / 1000)}`, "", null));
  }
}

interface Request {
  method?: string;
  uri: string;
  qs?: Record<string, unknown>;
  json?: object;
  /** ms */
  timeout: number;
}

function isTransient({ status, reason }: JobError): boolean {
  return status === null ? reason === "" : status === 429 || status >= 500 || TRANSIENT.has(reason);
}

function readError(error: unknown): JobError {
  const { code, errors, message } = (error ?? {}) as { code?: unknown; errors?: ErrorBody[]; message?: unknown };
  const [first] = Array.isArray(errors) ? errors : [];
  const text = first?.message ?? (typeof message === "string" ? message : "the request failed");
  return new JobError(text, first?.reason ?? "", typeof code === "number" ? code : null);
}
