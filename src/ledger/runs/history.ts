/** What earlier runs say about the next one: read before a run, without the lease. */
import { sql } from "kysely";
import { instant } from "../../core/clock.js";
import { isoText } from "../../warehouse/sql.js";
import type { Dialect } from "../../warehouse/dialect.js";
import type { Statement, Warehouse } from "../../warehouse/types.js";
import { elseRequired } from "../lease/held-ledger.js";
import { ofStandingRuns, TAKEN_BACK } from "./runs.js";
import { requireVersion } from "../install/install.js";
import { ledgerQueries, statement } from "../tables.js";
import { heeded } from "../trial.js";

/** What a scheduler must know to go on where another left off. Times are ms since 1970 UTC. */
export interface RunHistory {
  /** The latest `as_of` of any run; null: there was none. */
  lastAsOf: number | null;
  /** When each segment was last asked, of those whose last run left nothing to be done again at once. */
  askedAt: ReadonlyMap<string, number>;
  /** When a run without any problem last ended; null: none did. */
  lastSuccess: number | null;
  /** When a run last ended that had got as far as its decisions; null: none did. */
  lastDecided: number | null;
}

/** Reasons of candidates for which a segment is asked again at once: what they wait for may be over by then. */
export const ASK_AGAIN: readonly string[] = ["audience_failed", "run_limit"];

/** One statement; `trial`: a live job asks of live runs alone. @throws OpportuneError where there is no ledger, or not the one needed */
export async function runHistory(warehouse: Warehouse, schema: string, trial: boolean): Promise<RunHistory> {
  const rows = await elseRequired(warehouse, schema, () => warehouse.query(historyStatement(warehouse.dialect, schema, trial)));
  const content = (fact: string): string | null => (rows.find((row) => row["fact"] === fact)?.["content"] ?? null) as string | null;
  requireVersion(schema, Number(content("version") ?? 0));
  const asked = rows
    .filter(({ fact }) => fact === "segment")
    .map(({ name, content }) => ({ name: String(name), last: JSON.parse(String(content)) as LastAsked }))
    .filter(({ last }) => isDone(last));
  return {
    lastAsOf: milliseconds(content("last_as_of")),
    lastSuccess: milliseconds(content("succeeded")),
    lastDecided: milliseconds(content("decided")),
    askedAt: new Map(asked.map(({ name, last }) => [name, Date.parse(last.asked)])),
  };
}

/** The last run that asked a segment. */
interface LastAsked {
  asked: string;
  /** Numbers are text where a warehouse writes its integers so in JSON. */
  succeeded: number | string;
  decisions: string | null;
  status: string;
  released: number | string | null;
}

function historyStatement(dialect: Dialect, schema: string, trial: boolean): Statement {
  const queries = ledgerQueries(dialect, schema);
  const text = (expression: string) => sql<string | null>`${sql.raw(expression)}`;
  const nameless = text(`cast(null as ${dialect.types.text})`).as("name");
  const latest = queries
    .selectFrom("segment_runs as s")
    .innerJoin("runs as r", "r.run_id", "s.run_id")
    .select(["segment", "succeeded", "decisions", "status", "released", text(isoText("s.as_of", dialect)).as("asked")])
    .select(sql<number>`row_number() over (partition by segment order by s.as_of desc, fence desc)`.as("newest"))
    .where("status", "<>", "forgotten")
    .where(heeded(trial, "s"));
  const asked = dialect.jsonObject(["asked", "succeeded", "decisions", "status", "released"].map((column) => [column, column] as const));
  return statement(
    queries
      .selectFrom("meta")
      .select([text("'version'").as("fact"), nameless, text("content").as("content")])
      .where("name", "=", "schema_version")
      .unionAll(
        queries
          .selectFrom("runs")
          .select([text("'last_as_of'").as("fact"), nameless, text(isoText("max(as_of)", dialect)).as("content")])
          .where("status", "not in", TAKEN_BACK)
          .where(heeded(trial)),
      )
      .unionAll(
        queries
          .selectFrom("runs")
          .select([text("'succeeded'").as("fact"), nameless, text(isoText("max(finished_at)", dialect)).as("content")])
          .where("status", "=", "success")
          .where(heeded(trial)),
      )
      .unionAll(
        queries
          .selectFrom("runs")
          .select([text("'decided'").as("fact"), nameless, text(isoText("max(finished_at)", dialect)).as("content")])
          .where("run_id", "in", queries.selectFrom("segment_runs").select("run_id"))
          .where("status", "<>", "forgotten")
          .where(heeded(trial)),
      )
      .unionAll(
        queries
          .selectFrom(latest.as("r"))
          .select([text("'segment'").as("fact"), text("segment").as("name"), text(asked).as("content")])
          .where("newest", "=", 1),
      ),
  );
}

/** Whether the run ended with nothing to do again: one that broke off or released claims is not done, whatever its segments say. */
function isDone({ succeeded, decisions, status, released }: LastAsked): boolean {
  const ended = (status === "success" || status === "error") && Number(released ?? 0) === 0;
  const reasons = JSON.parse(decisions ?? "{}") as Record<string, number>;
  return ended && Number(succeeded) === 1 && !ASK_AGAIN.some((reason) => (reasons[reason] ?? 0) > 0);
}

/** A segment that was last asked longer ago counts no more: a year of runs every few minutes is two million rows, ms. */
const LAST_RUN_WITHIN_MS = 30 * 24 * 3_600_000;

/** The segments whose last successful run, of a month, returned a row, and whether any segment's did in the last `withinMs`. */
export async function returnedRows(
  warehouse: Warehouse,
  schema: string,
  trial: boolean,
  now: number,
  withinMs: number,
): Promise<{ last: ReadonlySet<string>; recently: boolean }> {
  const queries = ledgerQueries(warehouse.dialect, schema);
  const timestamp = (ms: number): ReturnType<typeof sql<string>> => sql<string>`cast(${instant(ms)} as ${sql.raw(warehouse.dialect.types.timestamp)})`;
  const latest = queries
    .selectFrom("segment_runs")
    .select(["segment", "returned", sql<number>`row_number() over (partition by segment order by as_of desc, run_id desc)`.as("newest")])
    .where("succeeded", "=", 1)
    .where(heeded(trial))
    .where(ofStandingRuns(queries))
    .where("as_of", ">", timestamp(now - LAST_RUN_WITHIN_MS));
  const fact = (name: string) => sql<string>`${sql.raw(`'${name}'`)}`.as("fact");
  const rows = await warehouse.query(
    statement(
      queries
        .selectFrom(latest.as("r"))
        .select([fact("last"), "segment"])
        .where("newest", "=", 1)
        .where("returned", ">", 0)
        .unionAll(
          queries
            .selectFrom("segment_runs")
            .select([fact("recently"), "segment"])
            .where("returned", ">", 0)
            .where(heeded(trial))
            .where(ofStandingRuns(queries))
            .where("as_of", ">", timestamp(now - withinMs))
            .groupBy("segment"),
        ),
    ),
  );
  return {
    last: new Set(rows.filter((row) => row["fact"] === "last").map((row) => String(row["segment"]))),
    recently: rows.some((row) => row["fact"] === "recently"),
  };
}

function milliseconds(value: string | null): number | null {
  return value === null ? null : Date.parse(value);
}
