/** What providers answered in earlier runs: the breaker's count goes on from there. */
import { sql } from "kysely";
import { instant } from "../../core/clock.js";
import { alike } from "../../core/alike.js";
import { OUTBOX_ID } from "../../core/outbox-id.js";
import type { Earlier } from "../../delivery/types.js";
import { RECORD } from "../facts.js";
import { timestampLiteral } from "../../warehouse/sql.js";
import type { Warehouse } from "../../warehouse/types.js";
import type { RunKey } from "../lease/held-ledger.js";
import { RECENTLY_MS } from "../runs/runs.js";
import { ledgerQueries, statement } from "../tables.js";
import { heeded } from "../trial.js";

/** Answers read of each channel: more than either count needs. */
const ENOUGH = 20;

/** A provider's answer to one message, or that there was none. */
export interface EarlierAnswer {
  channel: string;
  event: string;
  /** JSON, or null. */
  detail: string | null;
}

/**
 * What the last answers of each channel say of its provider, of the seven days before the run. What a person recorded, and what no
 * provider was asked, is not an answer.
 */
export async function earlierAnswers(warehouse: Warehouse, schema: string, run: RunKey): Promise<Map<string, Earlier>> {
  const since = timestampLiteral(instant(Date.parse(run.asOf) - RECENTLY_MS), warehouse.dialect);
  const queries = ledgerQueries(warehouse.dialect, schema);
  const answers = queries
    .selectFrom("sent_ledger")
    .select(["channel", "event", "detail", sql<number>`row_number() over (partition by channel order by seq desc)`.as("newest")])
    .where(sql<boolean>`decided_at >= ${sql.raw(since)}`)
    .where(heeded(run.trial))
    // What was written anew as a run was taken back, its own rows say.
    .where("run_id", "not like", `${RECORD}%`)
    .where(({ or, and, eb }) =>
      or([
        and([eb("event", "=", "accepted"), eb("reason", "=", "accepted"), sql<boolean>`coalesce(provider_id, '') not like ${sql.raw(`'${OUTBOX_ID}%'`)}`]),
        and([eb("event", "=", "failed"), eb("reason", "=", "rejected"), eb("rule", "=", "")]),
        and([eb("event", "=", "in_doubt"), eb("reason", "=", "no_answer")]),
        and([eb("event", "=", "released"), eb("reason", "=", "provider_unavailable")]),
      ]),
    );
  const rows = await warehouse.query(
    statement(queries.selectFrom(answers.as("a")).select(["channel", "event", "detail"]).where("newest", "<=", ENOUGH).orderBy("channel").orderBy("newest")),
  );
  return earlierOf(rows.map((row) => ({ channel: String(row["channel"]), event: String(row["event"]), detail: row["detail"] as string | null })));
}

/** `answers`: the newest of each channel first. */
export function earlierOf(answers: readonly EarlierAnswer[]): Map<string, Earlier> {
  const of = new Map<string, { failures: number; rejections: Map<string, number>; answered: boolean; accepted: boolean }>();
  for (const { channel, event, detail } of answers) {
    let found = of.get(channel);
    if (found === undefined) of.set(channel, (found = { failures: 0, rejections: new Map(), answered: false, accepted: false }));
    if (event === "accepted") found.accepted = true;
    if (event === "failed" && !found.accepted) {
      const kind = alike(becauseOf(detail) ?? "");
      found.rejections.set(kind, (found.rejections.get(kind) ?? 0) + 1);
    }
    if (event === "accepted" || event === "failed") found.answered = true;
    else if (!found.answered) found.failures += 1;
  }
  return new Map([...of].map(([channel, { failures, rejections }]) => [channel, { failures, rejections }]));
}

/** The words in a ledger row's detail; null where it has none. */
export function becauseOf(detail: string | null): string | null {
  if (detail === null) return null;
  const { because } = JSON.parse(detail) as { because?: unknown };
  return typeof because === "string" ? because : null;
}
