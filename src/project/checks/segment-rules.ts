/** Rules that look at a segment's front matter and SQL, and at segments beside each other. */
import type { LintRule } from "../schema/lint-rules.js";
import type { Policy, Project, Segment, SqlFile } from "../types.js";
import { ownClock } from "./own-clock.js";
import { timeBound } from "./time-bound.js";
import type { Found } from "./types.js";

export function lintSegment(segment: Segment, policy: Policy): Found[] {
  const top = placeOf(segment, "");
  const marketing = segment.class === "marketing";
  const bound = timeBound(segment.sql);
  return [
    ...(marketing && segment.goal === null ? [found(segment, "no-goal", top, `Segment ${segment.id} has no goal.`)] : []),
    ...(marketing && segment.exclude.length === 0 && policy.exclude.length === 0
      ? [found(segment, "no-exclusions", top, `Segment ${segment.id} excludes nobody, and the policy neither.`)]
      : []),
    ...(bound.kind === "none"
      ? [found(segment, "no-time-bound", { line: segment.sqlLine, column: 1 }, `The SQL of segment ${segment.id} compares nothing with {{ago}} or {{as_of}}.`)]
      : []),
    ...(bound.kind === "open"
      ? [found(segment, "no-time-bound", placeIn(segment, bound.at), `The SQL of segment ${segment.id} has a latest time, but no earliest.`)]
      : []),
    ...ownClock(segment.sql).map(({ word, at }) =>
      found(segment, "own-clock", placeIn(segment, at), `The SQL of segment ${segment.id} asks the warehouse's own clock: ${word}.`),
    ),
  ];
}

/** Audiences whose SQL asks the warehouse's clock, with the segments that go by them. */
export function audienceClocks({ audiences, segments, policy, lint }: Project): Found[] {
  return [...audiences.values()].flatMap((audience) => {
    const named = (names: readonly string[]): boolean => names.includes(audience.name);
    const everybody = named(policy.exclude) || named(policy.require);
    const users = [...segments.values()].filter(
      ({ goal, exclude, require, buildsOn }) => everybody || goal?.audience === audience.name || named([...exclude, ...require, ...buildsOn]),
    );
    return ownClock(audience.sql).map(({ word, at }): Found => {
      const message = `The SQL of audience ${audience.name} asks the warehouse's own clock: ${word}.`;
      return { rule: "own-clock", file: audience.file, ...placeIn(audience, at), message, segments: users.map(({ id }) => id), silences: lint };
    });
  });
}

/** Those with `first_run: send` among the segments that `ran` before. */
export function firstRunOver(segments: readonly Segment[], ran: ReadonlySet<string>): Found[] {
  return segments
    .filter(({ id, firstRun }) => firstRun === "send" && ran.has(id))
    .map((segment) =>
      found(segment, "first-run-over", placeOf(segment, "first_run"), `Segment ${segment.id} has run before: \`first_run: send\` has no effect any more.`),
    );
}

/** Where the policy has no cap that holds for all channels and topics: what two in 48 hours and two more in the fortnight make. */
const USUAL_CAP = 4;

/**
 * Those live marketing segments, from the highest priority down, that come after as many others with their goal and signal as
 * the policy lets a user hear of all of them together.
 */
export function crowded(segments: Iterable<Segment>, { caps }: Policy): Found[] {
  const general = caps.filter(({ channel, topic }) => channel === null && topic === null);
  const most = general.length === 0 ? USUAL_CAP : Math.max(...general.map(({ max }) => max));
  const groups = new Map<string, Segment[]>();
  for (const segment of segments) {
    if (segment.status !== "live" || segment.class !== "marketing" || segment.goal === null) continue;
    const group = `${segment.goal.audience} ${segment.signal ?? ""}`;
    groups.set(group, [...(groups.get(group) ?? []), segment]);
  }
  return [...groups.values()].flatMap((group) => {
    const ranked = group.sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
    return ranked.slice(most).map((segment) => {
      const others = ranked.slice(0, most).map(({ id }) => id);
      const message = `Segment ${segment.id} comes after ${others.join(", ")}: a user may hear ${String(most)}, and all have the goal ${segment.goal?.audience ?? ""}${segment.signal === null ? "" : ` and the signal ${segment.signal}`}.`;
      return found(segment, "crowded-audience", placeOf(segment, "goal"), message);
    });
  });
}

interface Place {
  line: number;
  column: number;
}

function found(segment: Segment, rule: LintRule, place: Place, message: string): Found {
  return { rule, file: segment.file, line: place.line, column: place.column, message, segments: [segment.id], silences: segment.lint };
}

function placeOf(segment: Segment, path: string): Place {
  return segment.places.get(path) ?? { line: 1, column: 1 };
}

/** Of an offset in a file's SQL. */
function placeIn(file: SqlFile, offset: number): Place {
  const before = file.sql.slice(0, offset).split("\n");
  return { line: file.sqlLine + before.length - 1, column: (before.at(-1)?.length ?? 0) + 1 };
}
