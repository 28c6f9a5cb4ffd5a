/** What a run's rules look at beside the ledger: audiences, suppressions, preferences, pauses, freshness. */
import type { Project, Segment } from "../../src/project/types.js";
import type { AudienceRow, Pause, Preference, Staged, Suppression, WorldRun } from "../support/world.js";
import type { Activations } from "./activation.js";
import { nameOf, userOf } from "./identity.js";
import type { Ledger } from "./ledger.js";
import type { Offers } from "./surge.js";

/** A staged audience, empty when it failed or has fewer users than its `min_rows`: each user's times (ms since 1970 UTC; null where the row has none). */
export interface AudienceNow {
  failed: boolean;
  times: ReadonlyMap<string, readonly (number | null)[]>;
}

/** What earlier runs left and this one adds: append-only, the later entry wins where one must. */
export interface Memory {
  ledger: Ledger;
  suppressions: Suppression[];
  preferences: Preference[];
  pauses: Pause[];
  activations: Activations;
  /** No decision before is known for certain: ms since 1970 UTC. */
  prunedTo: number;
  /** Numbers of the runs that were trials. */
  trials: Set<number>;
  offers: Offers;
}

export interface Facts {
  run: WorldRun;
  /** Of this run among all. */
  number: number;
  project: Project;
  /** Ms since 1970 UTC. */
  asOf: number;
  memory: Memory;
  audiences: ReadonlyMap<string, AudienceNow>;
  /** Ids of segments that a surge holds back. */
  surging: ReadonlySet<string>;
}

export function factsOf(run: WorldRun, number: number, memory: Memory): Facts {
  const audiences = new Map<string, AudienceNow>();
  for (const [name, audience] of run.project.audiences) {
    audiences.set(name, stage(run.audiences[name] ?? [], audience.minRows));
  }
  return { run, number, project: run.project, asOf: Date.parse(run.asOf), memory, audiences, surging: new Set() };
}

function stage(rows: Staged<AudienceRow>, minRows: number): AudienceNow {
  const times = new Map<string, (number | null)[]>();
  if (rows === "failed") return { failed: true, times };
  for (const row of rows) {
    const time = typeof row.occurred_at === "string" ? Date.parse(row.occurred_at) : null;
    const user = userOf(row.user_id);
    times.set(user, [...(times.get(user) ?? []), time]);
  }
  return times.size < minRows ? { failed: true, times: new Map() } : { failed: false, times };
}

/** An audience by name; one that the project doesn't have is a mistake of the test. */
export function audienceNow(facts: Facts, name: string): AudienceNow {
  const audience = facts.audiences.get(name);
  if (audience === undefined) throw new Error(`The project has no audience ${name}; add it to project.audiences`);
  return audience;
}

/** Excluded audiences, the project's before the segment's. */
export function excludesOf(facts: Facts, segment: Segment): string[] {
  return [...facts.project.policy.exclude, ...segment.exclude];
}

/** Required audiences, the project's before the segment's; transactional messages skip the project's. */
export function requiresOf(facts: Facts, segment: Segment): string[] {
  return segment.class === "transactional" ? [...segment.require] : [...facts.project.policy.require, ...segment.require];
}

/** A goal reached: later than the behaviour and not in the future, or without a time. A failed audience reaches nothing. */
export function goalReached(facts: Facts, segment: Segment, user: string, behaviour: number): boolean {
  if (segment.goal === null) return false;
  const audience = audienceNow(facts, segment.goal.audience);
  const times = audience.times.get(user) ?? [];
  return times.some((time) => time === null || (time > behaviour && time <= facts.asOf));
}

/** The last word of either kind, an operator's or a breaker's, is a pause that has not ended by itself. */
export function isPaused(facts: Facts, scope: Pause["scope"], name: string): boolean {
  return ([undefined, "breaker"] as const).some((kind) => {
    const last = facts.memory.pauses.findLast((pause) => pause.scope === scope && pause.name === name && pause.kind === kind);
    return last?.paused === true && (last.until === undefined || Date.parse(last.until) > facts.asOf);
  });
}

/** The last preference of a user in exactly this scope is a no; one of no word on it is passed over. */
export function saysNo(facts: Facts, user: string, channel: string | null, topic: string | null): boolean {
  const last = facts.memory.preferences.findLast(
    (each) => each.opted_in !== null && userOf(each.user_id) === user && nameOf(each.channel) === channel && nameOf(each.topic) === topic,
  );
  return last?.opted_in === false;
}
