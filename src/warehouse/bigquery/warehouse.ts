import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { BigQueryConnection } from "../../project/targets/bigquery.js";
import { connectBigQuery } from "./connect.js";
import { bigQueryDialect } from "./dialect.js";
import { isConcurrentUpdate, statementError } from "./errors.js";
import { Jobs, type Job, type JobRequest, type Page } from "./jobs.js";
import { JobError } from "./requests.js";
import { jobLabels } from "./labels.js";
import { insertRows, scriptText, UNMET } from "./script.js";
import { columnsOf, parametersOf, reader, rowsParameter, type QueryParameter } from "./values.js";
import { openingId, withOwnWorkTables, type Dialect } from "../dialect.js";
import { UnmetError, WarehouseError } from "../error.js";
import type { AppendColumn, Column, Labels, Row, Script, Statement, Warehouse } from "../types.js";

/** Rows of one parameter: a request may have 10 MB, and outcomes are below 1 KB. https://cloud.google.com/bigquery/quotas#query_jobs */
const APPENDED_ROWS = 5_000;
/** Rows of one page at most: BigQuery ends a page at 10 MB whatever is asked. */
const PAGE_ROWS = 50_000;
/** What a query that reads a table is billed at the least, bytes: less as a limit would refuse every one. https://cloud.google.com/bigquery/pricing#on_demand_pricing */
const LEAST_BILLED = 10 * 1024 * 1024;
/** How often a statement is run that was refused because another changed its table, and the pause before, ms. */
const CONCURRENT = { attempts: 4, pauseMs: 1_000 };

/**
 * Opens BigQuery for this run. Nothing is asked yet: the session begins with the first statement.
 * @param root project root, to which `credentials_file` is relative
 * @throws OpportuneError naming the project, with the way out
 */
export async function openBigQuery(connection: BigQueryConnection, { root }: { root: string }): Promise<Warehouse> {
  const { project, dataset, location, statementTimeoutSeconds } = connection;
  const client = await connectBigQuery(connection, root);
  return new BigQueryWarehouse(
    new Jobs(client, { dataset: dataset === null ? null : { projectId: project, datasetId: dataset }, location, timeoutMs: statementTimeoutSeconds * 1000 }),
    connection,
  );
}

/**
 * Statements share one session, which temporary tables and transactions belong to; each is a job. Claims are read page by page
 * from their job's result, which is kept for a day and has nothing to do with the session: statements run in between.
 */
class BigQueryWarehouse implements Warehouse {
  readonly dialect: Dialect;
  readonly usage = { statements: 0, bytes: 0 };
  readonly #jobs: Jobs;
  readonly #connection: BigQueryConnection;
  #labels: Labels = { project: "opportune", run: null };
  #session: Promise<string> | null = null;
  #inTransaction = false;

  constructor(jobs: Jobs, connection: BigQueryConnection) {
    this.#jobs = jobs;
    this.#connection = connection;
    this.dialect = withOwnWorkTables(bigQueryDialect(connection.billingProject === null ? null : connection.project), openingId());
  }

  label(labels: Labels): void {
    this.#labels = labels;
  }

  async hasTable(schema: string, table: string): Promise<boolean> {
    const sql = `select 1 from ${this.dialect.schemaName(schema)}.${this.dialect.quote(table)}`;
    try {
      await this.#jobs.start({ ...this.#request({ sql, params: [] }, []), dryRun: true, session: null });
      return true;
    } catch (error) {
      if (error instanceof JobError && error.reason === "notFound") return false;
      throw statementError(error, sql, this.#connection);
    }
  }

  async estimate(statement: Statement): Promise<number> {
    return (await this.#dryRun(statement)).bytes;
  }

  async describe(statement: Statement): Promise<Column[]> {
    const { fields, statementType } = await this.#dryRun(statement);
    if (statementType !== null && statementType !== "SELECT")
      throw new WarehouseError(`This is ${statementType.toLowerCase().replaceAll("_", " ")}; a query is one SELECT without a ";" in it.`, null, statement.sql);
    if (fields.length === 0) throw new WarehouseError("There is no query, only comments or nothing.", null, statement.sql);
    return columnsOf(fields);
  }

  async plan(statement: Statement): Promise<void> {
    await this.#dryRun(statement);
  }

  async query(statement: Statement): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const page of this.stream(statement, PAGE_ROWS)) rows.push(...page);
    return rows;
  }

  async execute(statement: Statement): Promise<number> {
    const run = async (): Promise<number> => (await this.#run(statement, await this.#sessionId())).page.changed;
    // Within a transaction all of it is gone: whoever began it decides.
    return this.#inTransaction ? run() : unlessConcurrent(run);
  }

  async *stream(statement: Statement, batchSize: number): AsyncIterable<Row[]> {
    yield* this.#pages(statement, Math.min(batchSize, PAGE_ROWS));
  }

  async *#pages(statement: Statement, size: number, more: readonly QueryParameter[] = []): AsyncGenerator<Row[]> {
    const { job, page: first } = await this.#run(statement, await this.#sessionId(), size, more);
    const read = reader(first.fields);
    for (let page: Page = first; ;) {
      if (page.rows.length > 0) yield page.rows.map(read);
      if (page.pageToken === null) return;
      page = await this.#guarded(statement.sql, () => this.#jobs.page(job.id, page.pageToken, size));
    }
  }

  async append(table: string, columns: readonly AppendColumn[]): Promise<void> {
    const sql = insertRows(table, columns);
    const length = columns[0]?.values.length ?? 0;
    for (let from = 0; from < length; from += APPENDED_ROWS) {
      const rows = rowsParameter("rows", columns, from, Math.min(from + APPENDED_ROWS, length));
      await this.#run({ sql, params: [] }, await this.#sessionId(), 1, [rows]);
    }
  }

  async script(script: Script): Promise<Row[]> {
    const { sql, parameters } = scriptText(script);
    try {
      // Of one that was refused nothing stands: whoever holds the lease meanwhile is found out by the script itself.
      return await unlessConcurrent(async () => {
        const rows: Row[] = [];
        for await (const page of this.#pages({ sql, params: [] }, PAGE_ROWS, parameters)) rows.push(...page);
        return rows;
      });
    } catch (error) {
      const unmet = error instanceof WarehouseError ? UNMET.exec(error.reason) : null;
      if (unmet !== null) throw new UnmetError(sql, Number(unmet[1]));
      throw error;
    }
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.#run({ sql: "begin transaction", params: [] }, await this.#sessionId());
    this.#inTransaction = true;
    try {
      const result = await work();
      await this.#run({ sql: "commit transaction", params: [] }, await this.#sessionId());
      return result;
    } catch (error) {
      // One that BigQuery has ended already has nothing to roll back.
      await this.#run({ sql: "rollback transaction", params: [] }, await this.#sessionId()).catch(() => undefined);
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  /** Outside the session, whose statements come one after another. */
  readonly beside = (statement: Statement): Promise<number> => unlessConcurrent(async () => (await this.#job(statement, null)).page.changed);

  /** That of the project: a dataset copied within it is not told from its original. */
  identity(): Promise<string> {
    return Promise.resolve(createHash("sha256").update(`bigquery ${this.#connection.project}`).digest("hex"));
  }

  cancel(): Promise<void> {
    return this.#jobs.cancelAll();
  }

  /** Cancels what is under way, and ends the session, with which its temporary tables go. */
  async close(): Promise<void> {
    await this.cancel();
    const session = await this.#session?.catch(() => null);
    if (session === null || session === undefined) return;
    // From outside: a job of the session that was cancelled may not have ended yet, and none may run beside it.
    await this.#run({ sql: `call bq.abort_session('${session}')`, params: [] }, null).catch(() => undefined);
  }

  /** Begun with the first statement that needs it. */
  async #sessionId(): Promise<{ id: string }> {
    this.#session ??= this.#begin();
    try {
      return { id: await this.#session };
    } catch (error) {
      this.#session = null;
      throw error;
    }
  }

  async #begin(): Promise<string> {
    const { job } = await this.#run({ sql: "select 1", params: [] }, "create");
    const id = job.sessionId ?? (await this.#jobs.sessionOf(job.id));
    if (id === null) throw new WarehouseError("BigQuery began no session.", null, "select 1");
    return id;
  }

  async #dryRun(statement: Statement): Promise<Job> {
    const session = this.#session === null ? null : await this.#sessionId();
    return this.#guarded(statement.sql, () => this.#jobs.start({ ...this.#request(statement, []), dryRun: true, session }));
  }

  #run(statement: Statement, session: JobRequest["session"], pageRows = PAGE_ROWS, more: readonly QueryParameter[] = []): Promise<{ job: Job; page: Page }> {
    this.usage.statements += 1;
    return this.#job(statement, session, pageRows, more);
  }

  /** Not counted among the statements; the bytes are. */
  #job(statement: Statement, session: JobRequest["session"], pageRows = PAGE_ROWS, more: readonly QueryParameter[] = []): Promise<{ job: Job; page: Page }> {
    return this.#guarded(statement.sql, async () => {
      const job = await this.#jobs.start({ ...this.#request(statement, more), session });
      const page = await this.#jobs.page(job.id, null, pageRows);
      this.usage.bytes += page.bytes;
      return { job, page };
    });
  }

  #request({ sql, params, segment, maxBytes }: Statement, more: readonly QueryParameter[]): Omit<JobRequest, "session"> {
    return {
      query: sql,
      parameters: [...parametersOf(params), ...more],
      labels: jobLabels(this.#labels, segment ?? null),
      maximumBytesBilled: maxBytes === undefined ? null : Math.max(maxBytes, LEAST_BILLED),
    };
  }

  async #guarded<T>(shown: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw statementError(error, shown, this.#connection);
    }
  }
}

/** Runs work again that was refused because another changed its table meanwhile. */
async function unlessConcurrent<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isConcurrentUpdate(error) || attempt === CONCURRENT.attempts) throw error;
      await delay(Math.random() * CONCURRENT.pauseMs * attempt);
    }
  }
}
