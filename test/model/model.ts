/**
 * The decision rules of docs/decisions.md as a plain, slow program: one run after another over an array of ledger rows.
 * It shares no code with the SQL that decides for real, so that the two can be held against each other.
 */
import type { Segment } from "../../src/project/types.js";
import { isReopened, type DecidedRow, type Decider, type WorldRun } from "../support/world.js";
import { Activations, activate } from "./activation.js";
import type { Candidate, PlannedStep, Row } from "./journeys.js";
import { candidatesOf, isBaseline, isSettled, plan, rowsThatCount, runningJourney, startsFresh } from "./journeys.js";
import type { LedgerRow } from "./ledger.js";
import { Ledger, isClaim } from "./ledger.js";
import { decideLine } from "./line.js";
import type { Answer } from "./rules.js";
import { addressFor, firstThatBites } from "./rules.js";
import { Offers, offeredBy, surging } from "./surge.js";
import type { Facts, Memory } from "./world.js";
import { audienceNow, factsOf, goalReached } from "./world.js";
import { nextShut } from "./zones.js";

/** The model, which also counts the candidates it has decided. */
export interface Model extends Decider {
  candidates(): number;
}

export function createModel(): Model {
  // Two memories: a live run has what live runs left, a trial has everything.
  const live = emptyMemory();
  const all = emptyMemory();
  const done: { number: number; asOf: string }[] = [];
  let numbers = 0;
  let decided = 0;
  return {
    run(run) {
      for (const asOf of run.forget ?? []) forget([live, all], done, asOf, run.asOf);
      for (const memory of [live, all]) if (run.prune !== undefined) memory.prunedTo = Math.max(memory.prunedTo, Date.parse(run.prune));
      if (run.beforeFactors === true) for (const { ledger } of [live, all]) ledger.forgetFactors();
      const number = ++numbers;
      done.push({ number, asOf: run.asOf });
      hear(all, run, () => true);
      hear(live, run, ({ trial }) => trial !== true);
      const outcome = decideRun(run, number, run.trial === true ? all : live);
      if (run.trial !== true) passOn(number, live, all, outcome);
      decided += outcome.candidates;
      return Promise.resolve(outcome.rows);
    },
    candidates: () => decided,
    close: () => Promise.resolve(),
  };
}

function emptyMemory(): Memory {
  return {
    ledger: new Ledger(),
    suppressions: [],
    preferences: [],
    pauses: [],
    activations: new Activations(),
    offers: new Offers(),
    prunedTo: -Infinity,
    trials: new Set(),
  };
}

/** Takes the last run as of then back, now. */
function forget(memories: readonly Memory[], done: { number: number; asOf: string }[], asOf: string, now: string): void {
  const place = done.findLastIndex((each) => each.asOf === asOf);
  for (const { number } of place < 0 ? [] : done.splice(place, 1)) {
    for (const { ledger, activations, offers } of memories) {
      ledger.forget(number, Date.parse(now));
      activations.forget(number);
      offers.forget(number);
    }
  }
}

/** Adds what people, providers and breakers said before the run. */
function hear(memory: Memory, run: WorldRun, heeds: (word: { trial?: boolean }) => boolean): void {
  memory.suppressions.push(...(run.suppressions ?? []).filter(heeds));
  memory.preferences.push(...(run.preferences ?? []).filter(heeds));
  memory.pauses.push(...(run.pauses ?? []).filter(heeds));
}

/** What a live run did is known to trials too. */
function passOn(number: number, live: Memory, all: Memory, { appended, asked }: Outcome): void {
  for (const row of appended) all.ledger.append(row);
  for (const known of live.offers.ofRun(number)) all.offers.add(known);
  for (const segment of asked) {
    const activation = live.activations.of(segment);
    if (activation !== undefined) all.activations.add(number, segment, activation);
  }
}

interface Outcome {
  rows: DecidedRow[];
  /** The rows, and those that say what happened to claims. */
  appended: readonly LedgerRow[];
  /** Ids of the segments whose query worked. */
  asked: readonly string[];
  candidates: number;
}

function decideRun(run: WorldRun, number: number, memory: Memory): Outcome {
  const facts = factsOf(run, number, memory);
  const before = memory.ledger.rows.length;
  if (run.trial === true) memory.trials.add(number);
  const taking = [...run.project.segments.values()].filter((segment) => segment.status !== "draft" && (run.select?.includes(segment.id) ?? true));
  for (const segment of taking) endByGoal(segment, facts);

  const rowsOf = new Map<Segment, Row[]>();
  for (const segment of taking) {
    const staged = run.rows[segment.id] ?? [];
    if (staged === "failed") continue;
    rowsOf.set(segment, rowsThatCount(segment, staged, facts.asOf));
    memory.activations.add(number, segment.id, activate(segment, facts.asOf, memory.activations.of(segment.id)));
    if (run.backfill?.includes(segment.id) === true) backfill(segment, rowsOf.get(segment) ?? [], facts);
  }

  const candidates = [...rowsOf].flatMap(([segment, rows]) => rows.flatMap((row) => candidatesNow(segment, row, facts)));
  const first = answersTo(candidates, facts);
  const held = surging(rowsOf.keys(), first, facts);
  const answers = held.size === 0 ? first : answersTo(candidates, { ...facts, surging: held });
  for (const segment of rowsOf.keys()) {
    if (!held.has(segment.id)) memory.offers.add({ run: number, segment: segment.id, asOf: facts.asOf, offered: offeredBy(segment, answers) });
  }

  const whoLeft = [...rowsOf].flatMap(([segment, rows]) => leavers(segment, rows, candidates, facts));
  for (const [each, answer] of answers) record(each, answer, facts);
  for (const row of [...whoLeft, ...(run.select === undefined ? ofRemoved(facts) : [])]) memory.ledger.append(row);

  const appended = memory.ledger.rows.slice(before);
  for (const row of appended) settleOutcome(row, run, memory.ledger);
  const asked = [...rowsOf.keys()].map(({ id }) => id);
  return { rows: appended.map(shown), appended: memory.ledger.rows.slice(before), asked, candidates: candidates.length };
}

/** An answer to each candidate. */
function answersTo(candidates: readonly Candidate[], facts: Facts): Map<Candidate, Answer> {
  const answers = new Map<Candidate, Answer>();
  for (const each of candidates) {
    const answer = firstThatBites(each, facts);
    if (answer !== null) answers.set(each, answer);
  }
  const left = candidates.filter((each) => !answers.has(each));
  for (const [each, answer] of decideLine(left, facts)) answers.set(each, answer);
  return answers;
}

function candidatesNow(segment: Segment, row: Row, facts: Facts): Candidate[] {
  const activation = facts.memory.activations.of(segment.id);
  return activation === undefined ? [] : candidatesOf(segment, row, facts.memory.ledger, activation, facts.asOf, facts.run.trial === true);
}

function blank(segment: Segment, user: string, key: string, behaviour: number, at: PlannedStep, facts: Facts): LedgerRow {
  return {
    run: facts.number,
    segment: segment.id,
    step: at.step.name,
    user,
    key,
    behaviour,
    event: "settled",
    reason: "",
    rule: "",
    from: at.from,
    due: at.due,
    variant: "",
    factor: "",
    channel: at.version.channel,
    sendBy: null,
    decidedAt: facts.asOf,
    address: "",
    topic: segment.topic,
    marketing: segment.class === "marketing",
    outcome: null,
  };
}

/** A goal reached ends the running journey: each unsettled step, due or not, is settled. */
function endByGoal(segment: Segment, facts: Facts): void {
  if (segment.goal === null) return;
  const { times } = audienceNow(facts, segment.goal.audience);
  for (const { user, key, past: rows } of facts.memory.ledger.personsOf(segment.id)) {
    if (!times.has(user)) continue;
    // Appending below must not change what is being looked at.
    const past = [...rows];
    const journey = runningJourney(segment, user, past, facts.asOf);
    if (journey === null || !goalReached(facts, segment, user, journey.anchor)) continue;
    for (const at of plan(segment, user, past, journey.anchor, journey)) {
      if (isSettled(past, at.step.name, journey.anchor)) continue;
      facts.memory.ledger.append({ ...blank(segment, user, key, journey.anchor, at, facts), reason: "converted" });
    }
  }
}

/** Each fresh baseline behaviour, recorded or not, counts from this run's `as_of` from now on; once. */
function backfill(segment: Segment, rows: readonly Row[], facts: Facts): void {
  const { ledger, activations } = facts.memory;
  const activatedAt = activations.of(segment.id)?.activatedAt ?? null;
  for (const { user, key, behaviour } of rows) {
    const past = [...ledger.of(segment.id, user, key)];
    if (behaviour < facts.memory.prunedTo) continue;
    if (runningJourney(segment, user, past, facts.asOf) !== null || !startsFresh(segment, past, behaviour)) continue;
    const [first] = plan(segment, user, past, behaviour, null);
    if (first === undefined || !isBaseline(past, behaviour, first.due, activatedAt)) continue;
    const due = facts.asOf + first.version.afterSeconds * 1000;
    const row = blank(segment, user, key, behaviour, { ...first, from: facts.asOf, due }, facts);
    ledger.append({ ...row, event: "backfilled", reason: "backfilled" });
  }
}

/** Writes an answer if it differs from the last row of the same message. */
function record(each: Candidate, answer: Answer, facts: Facts): void {
  const last = each.past.findLast((row) => row.step === each.step.name && row.behaviour === each.behaviour);
  const same = last?.event === answer.event && last.reason === answer.reason && last.rule === answer.rule;
  if (same) return;
  const claims = isClaim(answer);
  facts.memory.ledger.append({
    ...blank(each.segment, each.row.user, each.row.key, each.behaviour, each, facts),
    ...answer,
    variant: claims ? each.version.name : "",
    factor: claims && each.version.name !== "" ? each.step.factor : "",
    sendBy: answer.event === "claimed" ? sendBy(each, facts) : null,
    address: claims ? (addressFor(each, facts) ?? "") : "",
  });
}

/** A claim goes until its window ends, and a marketing one until its user's quiet hours begin. */
function sendBy({ segment, row, expires }: Candidate, { asOf, project: { policy } }: Facts): number {
  if (segment.class !== "marketing" || policy.quietHours === null) return expires;
  return nextShut(asOf, expires, row.world.timezone ?? null, policy.timezone, policy.quietHours) ?? expires;
}

/** Waiting or released messages that are no candidates now although the segment's query worked. */
function leavers(segment: Segment, rows: readonly Row[], candidates: readonly Candidate[], facts: Facts): LedgerRow[] {
  const name = (...parts: (string | number)[]): string => JSON.stringify(parts);
  const now = new Set(candidates.filter((each) => each.segment === segment).map((each) => name(each.row.user, each.row.key, each.step.name, each.behaviour)));
  const returned = new Map(rows.map((row) => [name(row.user, row.key), row.behaviour]));
  return facts.memory.ledger.personsOf(segment.id).flatMap(({ user, key, past }) => {
    // Most have never waited; of the others, only a last row that waits matters.
    if (!past.some(({ event }) => event === "waiting" || event === "released")) return [];
    const lasts = new Map(past.map((row) => [name(row.step, row.behaviour), row]));
    return [...lasts.values()].flatMap((last): LedgerRow[] => {
      if (last.event !== "waiting" && last.event !== "released") return [];
      if (now.has(name(user, key, last.step, last.behaviour))) return [];
      if (isSettled(past, last.step, last.behaviour)) return [];
      const newer = (returned.get(name(user, key)) ?? last.behaviour) > last.behaviour;
      const replaced = newer && runningJourney(segment, user, past, facts.asOf) === null;
      const answer: Answer = replaced
        ? { event: "settled", reason: "superseded", rule: "newer_behaviour" }
        : { event: "left", reason: "left", rule: last.reason };
      return [{ ...last, ...answer, run: facts.number, variant: "", factor: "", sendBy: null, address: "", decidedAt: facts.asOf, outcome: null }];
    });
  });
}

const DAY = 86_400_000;

/** What waits in segments that have no file since a day, and not for more than eight: rows of the run's own kind. */
function ofRemoved({ run, number, asOf, memory }: Facts): LedgerRow[] {
  return memory.activations.segments().flatMap((id) => {
    const ago = asOf - (memory.activations.of(id)?.succeededAt ?? asOf);
    if (run.project.segments.has(id) || ago < DAY || ago >= 8 * DAY) return [];
    return memory.ledger.personsOf(id).flatMap(({ past }) => {
      const own = past.filter((row) => memory.trials.has(row.run) === (run.trial === true));
      const lasts = new Map(own.map((row) => [JSON.stringify([row.step, row.behaviour]), row]));
      return [...lasts.values()].flatMap((last): LedgerRow[] => {
        if (last.event !== "waiting" && last.event !== "released") return [];
        return [
          {
            ...last,
            event: "left",
            reason: "left",
            rule: last.reason,
            run: number,
            variant: "",
            factor: "",
            sendBy: null,
            address: "",
            decidedAt: asOf,
            outcome: null,
          },
        ];
      });
    });
  });
}

/** What becomes of a claim: a released one is taken back entirely. */
function settleOutcome(row: LedgerRow, run: WorldRun, ledger: Ledger): void {
  if (row.event !== "claimed") return;
  row.outcome = run.outcome?.(shown(row)) ?? "accepted";
  if (isReopened(row.outcome)) ledger.append({ ...row, event: "released", reason: "released", rule: "", address: "" });
}

function shown(row: LedgerRow): DecidedRow {
  if (row.event === "released") throw new Error(`A released row is an outcome, not a decision: ${JSON.stringify(row)}`);
  const text = (instant: number): string => new Date(instant).toISOString().replace(".000Z", "Z");
  const { segment, step, key, event, reason, rule, variant, factor } = row;
  const channel = isClaim(row) ? row.channel : "";
  const [occurred_at, due_at] = [text(row.behaviour), text(row.due)];
  const send_by = row.sendBy === null ? "" : text(row.sendBy);
  return { segment, step, user_id: row.user, key, occurred_at, event, reason, rule, due_at, variant, factor, channel, send_by };
}
