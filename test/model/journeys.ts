/** From returned rows to candidates: what a row stands for, which of its steps are due and unsettled. */
import type { Segment, Step } from "../../src/project/types.js";
import type { WorldRow } from "../support/world.js";
import type { Activation } from "./activation.js";
import type { Version } from "./identity.js";
import { messageId, userOf, versionOf } from "./identity.js";
import type { Ledger, LedgerRow } from "./ledger.js";
import { counts, stands } from "./ledger.js";

/** A returned row that counts: the newest of its user and key. */
export interface Row {
  user: string;
  key: string;
  behaviour: number;
  world: WorldRow;
}

export interface Journey {
  anchor: number;
  /** The standing claims and hold-outs, in the order decided; never empty. */
  claims: readonly [LedgerRow, ...LedgerRow[]];
}

/** One step of a journey or of a fresh behaviour, with the user's times. Instants are ms since 1970 UTC. */
export interface PlannedStep {
  step: Step;
  version: Version;
  /** What the steps count from. */
  from: number;
  due: number;
  expires: number;
}

export interface Candidate extends PlannedStep {
  segment: Segment;
  row: Row;
  /** The anchor, or the row's behaviour time. */
  behaviour: number;
  kind: "fresh" | "running" | "over";
  /** Null for a fresh behaviour. */
  journey: Journey | null;
  /** When the first step of the journey or behaviour falls due. */
  firstDue: number;
  messageId: string;
  /** All candidates of the same row, this one among them. */
  siblings: readonly Candidate[];
  /** The ledger's rows of the segment, user and key before this run's decisions. */
  past: readonly LedgerRow[];
}

/** Drops rows without user, behaviour or key and those from the future; of several for one user and key the newest stays. */
export function rowsThatCount(segment: Segment, rows: readonly WorldRow[], asOf: number): Row[] {
  const newest = new Map<string, Row>();
  for (const world of rows) {
    const key = segment.key === null ? "" : world.key;
    const user = userOf(world.user_id ?? "");
    if (user === "" || world.occurred_at === null || key === null || key === undefined) continue;
    const behaviour = Date.parse(world.occurred_at);
    if (behaviour > asOf) continue;
    const name = JSON.stringify([user, key]);
    const rival = newest.get(name);
    if (rival !== undefined && rival.behaviour >= behaviour) continue;
    newest.set(name, { user, key, behaviour, world });
  }
  return [...newest.values()];
}

/** All journeys of a segment, user and key, by their anchors. */
export function journeysIn(past: readonly LedgerRow[]): Journey[] {
  const found = new Map<number, [LedgerRow, ...LedgerRow[]]>();
  for (const claim of past.filter(stands)) {
    const claims = found.get(claim.behaviour);
    if (claims === undefined) found.set(claim.behaviour, [claim]);
    else claims.push(claim);
  }
  const inOrder = ([first, ...others]: [LedgerRow, ...LedgerRow[]]): [LedgerRow, ...LedgerRow[]] =>
    [first, ...others].sort((a, b) => a.decidedAt - b.decidedAt) as [LedgerRow, ...LedgerRow[]];
  return [...found].sort(([a], [b]) => a - b).map(([anchor, claims]) => ({ anchor, claims: inOrder(claims) }));
}

/** The `as_of` of the behaviour's backfill, else the behaviour itself. */
export function countsFrom(past: readonly LedgerRow[], behaviour: number): number {
  return past.find((row) => row.event === "backfilled" && row.behaviour === behaviour)?.decidedAt ?? behaviour;
}

/** The segment's steps, as the user gets them, for a behaviour: the one that falls due first stands first. */
export function plan(segment: Segment, user: string, past: readonly LedgerRow[], behaviour: number, journey: Journey | null): PlannedStep[] {
  const from = journey === null ? countsFrom(past, behaviour) : Math.min(...journey.claims.map((claim) => claim.from));
  const steps = segment.steps.map((step) => {
    const version = versionOf(segment, step, user, journey?.claims ?? []);
    const due = from + version.afterSeconds * 1000;
    return { step, version, from, due, expires: due + version.withinSeconds * 1000 };
  });
  return steps.sort((a, b) => a.due - b.due);
}

/** Whether the message of a step has its final answer; a backfill forgets what the behaviour had before it. */
export function isSettled(past: readonly LedgerRow[], step: string, behaviour: number): boolean {
  const ofBehaviour = past.filter((row) => row.behaviour === behaviour);
  const since = ofBehaviour.slice(1 + ofBehaviour.findIndex((row) => row.event === "backfilled"));
  return since.some((row) => row.step === step && (row.event === "settled" || stands(row)));
}

/** The last journey, if some step of today's definition is neither settled nor past its window. */
export function runningJourney(segment: Segment, user: string, past: readonly LedgerRow[], asOf: number): Journey | null {
  const journey = journeysIn(past).at(-1);
  if (journey === undefined) return null;
  const open = plan(segment, user, past, journey.anchor, journey).some(({ step, expires }) => !isSettled(past, step.name, journey.anchor) && asOf < expires);
  return open ? journey : null;
}

/** Whether a row, while no journey runs, starts a fresh one. */
export function startsFresh(segment: Segment, past: readonly LedgerRow[], behaviour: number): boolean {
  const barred = past.filter((row) => stands(row) || (row.event === "settled" && row.reason === "converted"));
  if (barred.some((row) => behaviour <= row.decidedAt)) return false;
  return segment.repeat.kind !== "never" || !past.some(counts);
}

/** Whether a fresh behaviour is baseline: recorded as such, or without a row and first due by the segment's activation. */
export function isBaseline(past: readonly LedgerRow[], behaviour: number, firstDue: number, activatedAt: number | null): boolean {
  const ofBehaviour = past.filter((row) => row.behaviour === behaviour);
  if (ofBehaviour.length === 0) return activatedAt !== null && firstDue <= activatedAt;
  return ofBehaviour.every((row) => row.reason === "baseline");
}

/** A behaviour whose window ended longer ago than this (ms) is history. */
function lookBack(segment: Segment): number {
  const spans = segment.steps.flatMap((step) => [step, ...step.variants]).map((each) => each.afterSeconds + each.withinSeconds);
  return Math.max(...spans) * 1000;
}

/** The candidates that a row stands for now. */
export function candidatesOf(segment: Segment, row: Row, ledger: Ledger, activation: Activation, asOf: number, trial: boolean): Candidate[] {
  const past = [...ledger.of(segment.id, row.user, row.key)];
  const running = runningJourney(segment, row.user, past, asOf);
  const fresh = running === null && startsFresh(segment, past, row.behaviour);
  const journey = fresh ? null : (running ?? journeysIn(past).at(-1) ?? null);
  const kind = running !== null ? "running" : fresh ? "fresh" : "over";
  const behaviour = journey?.anchor ?? row.behaviour;
  const steps = plan(segment, row.user, past, behaviour, journey);
  const firstDue = steps[0]?.due ?? Number.POSITIVE_INFINITY;
  const baseline = fresh && isBaseline(past, behaviour, firstDue, activation.activatedAt);
  const recorded = baseline && past.some((each) => each.behaviour === behaviour);
  const siblings: Candidate[] = [];
  for (const planned of recorded ? [] : baseline ? steps.slice(0, 1) : steps) {
    if (asOf < planned.due || isSettled(past, planned.step.name, behaviour)) continue;
    if (asOf - planned.expires > lookBack(segment)) continue;
    const id = messageId(segment, planned.step.name, row.user, row.key, behaviour, trial);
    siblings.push({ ...planned, segment, row, behaviour, kind, journey, firstDue, messageId: id, siblings, past });
  }
  return siblings;
}
