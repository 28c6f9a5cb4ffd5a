/** What the page of a user's story needs beside the story: when now is, where the user is, what counts towards the caps. */
import { OpportuneError } from "../../core/errors.js";
import { isZone } from "../../core/zones.js";
import type { Ledger } from "../../ledger/ledger.js";
import { heardRows, latestRun } from "../../ledger/look-up.js";
import { isTrial } from "../../ledger/trial.js";
import type { Project } from "../../project/types.js";
import type { Heard } from "../../report/story-entries.js";
import type { StoryEvent, StoryZone } from "../../report/story.js";
import { limit, readingQuery } from "../../segments/staging.js";
import { renderQuery } from "../../segments/query.js";
import { canonicalUser } from "../../warehouse/canonical.js";
import { Binder } from "../../warehouse/sql.js";
import type { Row, Warehouse } from "../../warehouse/types.js";

interface Facts {
  asOf: string;
  timezone: StoryZone;
  heard: Heard[];
}

export async function factsOf(project: Project, ledger: Ledger, user: string, story: readonly StoryEvent[]): Promise<Facts> {
  const trial = isTrial(project.target, null);
  const asOf = (await latestRun(ledger, trial)) ?? story.at(-1)?.decidedAt ?? "";
  const rows = await heardRows(ledger, user, trial);
  const nullable = (row: Row, name: string): string | null => (row[name] === null || row[name] === undefined ? null : String(row[name]));
  return {
    asOf,
    timezone: await zoneOf(project, ledger.warehouse, user, story),
    heard: rows.map((row) => ({ channel: nullable(row, "channel"), topic: nullable(row, "topic"), decidedAt: String(row["decided_at"]) })),
  };
}

/** Where the user is, as far as the story or its newest segments say, which are asked; else the project's zone, with `known` false. */
export async function zoneOf(project: Project, warehouse: Warehouse, user: string, story: readonly StoryEvent[]): Promise<StoryZone> {
  const zone = zoneInStory(story) ?? (await zoneInSegments(project, warehouse, user, story, story.at(-1)?.decidedAt ?? ""));
  return { name: zone ?? project.policy.timezone, known: zone !== null };
}

/** The newest that quiet hours have named. */
function zoneInStory(story: readonly StoryEvent[]): string | null {
  return story.map(({ detail }) => detail["zone"]).findLast(isKnown) ?? null;
}

/** Segments asked at most: one that still returns the user is among the newest, if there is one. */
const ASKED = 3;

/** As the newest segments of the story return it now; one that can't be asked says nothing. */
async function zoneInSegments(project: Project, warehouse: Warehouse, user: string, story: readonly StoryEvent[], asOf: string): Promise<string | null> {
  const ids = [...new Set(story.map(({ segment }) => segment).reverse())];
  for (const segment of ids.flatMap((id) => project.segments.get(id) ?? []).slice(0, ASKED)) {
    try {
      const { dialect } = warehouse;
      const bound = new Binder(dialect);
      const asked = { sql: renderQuery(segment, project, asOf, bound).sql, params: bound.params };
      const { query, binder } = readingQuery(asked.sql, bound);
      const who = `${canonicalUser(`cast(q.user_id as ${dialect.types.text})`, dialect)} = ${canonicalUser(binder.bind(user), dialect)}`;
      const rows = await warehouse.query({
        sql: `select q.timezone from (\n${query}\n) q where ${who}`,
        params: binder.params,
        ...limit(project.target.maxBytes, segment.maxBytes),
        ...(dialect.queriesApart ? { apart: asked } : {}),
      });
      const zone = rows.map((row) => row["timezone"]).find(isKnown);
      if (zone !== undefined) return zone;
    } catch (error) {
      // No column timezone, a query that is broken or may not be asked: the story is told all the same.
      if (!(error instanceof OpportuneError)) throw error;
    }
  }
  return null;
}

function isKnown(value: unknown): value is string {
  return typeof value === "string" && isZone(value);
}
