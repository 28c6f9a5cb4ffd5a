import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { BigQuery } from "@google-cloud/bigquery";
import { ANSWER_MS, JobError, Requests, type ErrorBody } from "./requests.js";
import type { QueryParameter } from "./values.js";

/** Of a job that BigQuery doesn't know of yet. */
const CANCEL_ATTEMPTS = 4;
const CANCEL_PAUSE_MS = 500;

/** How long one request may wait for a job's end before it is asked again, ms. */
const POLL_MS = 20_000;
/** The client gives up on a job this much later than BigQuery ends it, ms: then nothing has come back at all. */
const PATIENCE_MS = 30_000;
/** HTTP status that says the job failed, as BigQuery answers for most that do. */
const FAILED = 400;

/** A query job as the REST API takes it: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job. */
export interface JobRequest {
  query: string;
  parameters: readonly QueryParameter[];
  labels: Readonly<Record<string, string>>;
  /** Null: as the account allows. */
  maximumBytesBilled: number | null;
  dryRun?: boolean;
  /** `create` begins one; null: outside any. */
  session: { id: string } | "create" | null;
}

interface Field {
  name: string;
  type: string;
  mode?: string;
}

/** One page of a job's result, and what is known of the job by then. */
export interface Page {
  fields: readonly Field[];
  rows: readonly { f: readonly { v: unknown }[] }[];
  pageToken: string | null;
  /** Rows that a DML statement changed. */
  changed: number;
  /** Bytes that the job read. */
  bytes: number;
}

export interface Job {
  id: string;
  sessionId: string | null;
  /** Null for a script that is not done yet. */
  statementType: string | null;
  /** Of a dry run. */
  fields: readonly Field[];
  bytes: number;
}

interface JobBody {
  jobReference?: { jobId?: string; location?: string };
  status?: { state?: string; errorResult?: ErrorBody };
  statistics?: {
    sessionInfo?: { sessionId?: string };
    totalBytesProcessed?: string;
    query?: { statementType?: string; schema?: { fields?: Field[] }; totalBytesProcessed?: string; totalBytesBilled?: string };
  };
}

/** Runs query jobs on one project: each has an id of ours, so that a request whose answer was lost can be made again. */
export class Jobs {
  readonly #requests: Requests;
  readonly #dataset: { projectId: string; datasetId: string } | null;
  readonly #timeoutMs: number;
  #location: string | null;
  /** Under way, by id: the deadline of each, by `performance.now()`. */
  readonly #running = new Map<string, number>();

  constructor(client: BigQuery, options: { dataset: { projectId: string; datasetId: string } | null; location: string | null; timeoutMs: number }) {
    this.#requests = new Requests(client);
    this.#dataset = options.dataset;
    this.#location = options.location;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Begins a job; one that fails at once rejects. */
  async start({ query, parameters, labels, maximumBytesBilled, dryRun = false, session }: JobRequest): Promise<Job> {
    const jobId = `opportune_${randomUUID()}`;
    const json = {
      jobReference: { jobId, ...(this.#location === null ? {} : { location: this.#location }) },
      configuration: {
        dryRun,
        labels,
        jobTimeoutMs: String(this.#timeoutMs),
        query: {
          query,
          useLegacySql: false,
          // What stands in a cache was read for another moment; nothing of a run may come from there.
          useQueryCache: false,
          ...(parameters.length === 0 ? {} : { parameterMode: "NAMED", queryParameters: parameters }),
          ...(this.#dataset === null ? {} : { defaultDataset: this.#dataset }),
          ...(maximumBytesBilled === null || dryRun ? {} : { maximumBytesBilled: String(maximumBytesBilled) }),
          ...(session === "create" ? { createSession: true } : {}),
          ...(session === null || session === "create" ? {} : { connectionProperties: [{ key: "session_id", value: session.id }] }),
        },
      },
    };
    const deadline = performance.now() + this.#timeoutMs + PATIENCE_MS;
    // From now on: of a request whose answer never comes the job may run all the same.
    if (!dryRun) this.#running.set(jobId, deadline);
    const body = await this.#insert(jobId, json, deadline).catch(async (error: unknown) => {
      const refused = error instanceof JobError && error.status !== null && error.status < 500;
      if (!refused && !dryRun) await this.cancel(jobId);
      this.#running.delete(jobId);
      throw error;
    });
    const failed = body.status?.errorResult;
    if (failed !== undefined) {
      this.#running.delete(jobId);
      throw new JobError(failed.message ?? "the job failed", failed.reason ?? "", null);
    }
    this.#location ??= body.jobReference?.location ?? null;
    const { query: statistics, sessionInfo, totalBytesProcessed } = body.statistics ?? {};
    return {
      id: jobId,
      sessionId: sessionInfo?.sessionId ?? null,
      statementType: statistics?.statementType ?? null,
      fields: statistics?.schema?.fields ?? [],
      bytes: Number(statistics?.totalBytesProcessed ?? totalBytesProcessed ?? 0),
    };
  }

  /** Waits for a job's end and gives a page of its result. */
  async page(id: string, pageToken: string | null, maxResults: number): Promise<Page> {
    const deadline = this.#running.get(id) ?? performance.now() + this.#timeoutMs + PATIENCE_MS;
    try {
      for (;;) {
        const qs = { maxResults, timeoutMs: POLL_MS, ...this.#where(), ...(pageToken === null ? {} : { pageToken }) };
        const body = (await this.#requests.again({ uri: `/queries/${id}`, qs, timeout: POLL_MS + ANSWER_MS }, deadline, () => this.#failureOf(id))) as {
          jobComplete?: boolean;
          schema?: { fields?: Field[] };
          rows?: Page["rows"];
          pageToken?: string;
          numDmlAffectedRows?: string;
          totalBytesProcessed?: string;
        };
        if (body.jobComplete === false) {
          if (performance.now() > deadline) throw new JobError("Job timed out: it did not end, and BigQuery did not say so", "timeout", null);
          continue;
        }
        this.#running.delete(id);
        return {
          fields: body.schema?.fields ?? [],
          rows: body.rows ?? [],
          pageToken: body.pageToken ?? null,
          changed: Number(body.numDmlAffectedRows ?? 0),
          bytes: Number(body.totalBytesProcessed ?? 0),
        };
      }
    } catch (error) {
      // Whatever went wrong between us: nobody waits for it any more.
      if (this.#running.has(id) && !(error instanceof JobError && error.status === FAILED)) await this.cancel(id);
      this.#running.delete(id);
      throw error;
    }
  }

  /** Why a job failed; null: it goes on or went well, or nobody knows. Asked for its result, BigQuery answers with the job's error, which may look like one of the moment. */
  async #failureOf(id: string): Promise<JobError | null> {
    const body = (await this.#requests.once({ uri: `/jobs/${id}`, qs: this.#where(), timeout: ANSWER_MS }).catch(() => null)) as JobBody | null;
    const failed = body?.status?.state === "DONE" ? body.status.errorResult : undefined;
    return failed === undefined ? null : new JobError(failed.message ?? "the job failed", failed.reason ?? "", FAILED);
  }

  /** The session that a job which has ended began. */
  async sessionOf(id: string): Promise<string | null> {
    const body = (await this.#requests.again({ uri: `/jobs/${id}`, qs: this.#where(), timeout: ANSWER_MS }, performance.now() + PATIENCE_MS)) as JobBody;
    return body.statistics?.sessionInfo?.sessionId ?? null;
  }

  /** A job that isn't known may be about to arrive: it is asked for again, for seconds. */
  async cancel(id: string): Promise<void> {
    const request = { method: "POST", uri: `/jobs/${id}/cancel`, qs: this.#where(), timeout: ANSWER_MS };
    for (let attempt = 0; attempt < CANCEL_ATTEMPTS; attempt++) {
      if (attempt > 0) await delay(CANCEL_PAUSE_MS);
      const unknown = await this.#requests.once(request).then(
        () => false,
        (error: unknown) => error instanceof JobError && error.status === 404,
      );
      if (!unknown) return;
    }
  }

  /** Leaves no job behind that is still under way. */
  async cancelAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.cancel(id)));
  }

  #where(): { location?: string } {
    return this.#location === null ? {} : { location: this.#location };
  }

  /** A second request of the same id is refused where the first one arrived: then the job runs already. */
  async #insert(jobId: string, json: object, deadline: number): Promise<JobBody> {
    try {
      return (await this.#requests.again({ method: "POST", uri: "/jobs", json, timeout: ANSWER_MS }, deadline)) as JobBody;
    } catch (error) {
      if (!(error instanceof JobError) || error.status !== 409) throw error;
      return (await this.#requests.again({ uri: `/jobs/${jobId}`, qs: this.#where(), timeout: ANSWER_MS }, deadline)) as JobBody;
    }
  }
}
