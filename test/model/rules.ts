/** Rules 1 to 16, one function each, named after its reason: each looks at one candidate and bites (an answer) or doesn't. */
import type { Cap, Channel, Segment } from "../../src/project/types.js";
import type { DecidedRow, Suppression } from "../support/world.js";
import { addressOf, nameOf, suppressedAddress } from "./identity.js";
import type { Candidate } from "./journeys.js";
import { isBaseline, journeysIn } from "./journeys.js";
import type { LedgerRow } from "./ledger.js";
import { counts } from "./ledger.js";
import type { Facts } from "./world.js";
import { audienceNow, excludesOf, goalReached, isPaused, requiresOf, saysNo } from "./world.js";
import { isShut, localTime } from "./zones.js";

export interface Answer {
  event: DecidedRow["event"];
  reason: string;
  rule: string;
}

type Rule = (candidate: Candidate, facts: Facts) => Answer | null;

const settled = (reason: string, rule = ""): Answer => ({ event: "settled", reason, rule });
const denied = (reason: string, rule = ""): Answer => ({ event: "denied", reason, rule });
const waiting = (reason: string, rule = ""): Answer => ({ event: "waiting", reason, rule });

function channelOf(candidate: Candidate, facts: Facts): Channel {
  const channel = facts.project.channels.get(candidate.version.channel);
  if (channel === undefined) throw new Error(`The project has no channel ${candidate.version.channel}`);
  return channel;
}

/** The candidate's normalised address, or null. */
export function addressFor(candidate: Candidate, facts: Facts): string | null {
  return addressOf(candidate.row.world, channelOf(candidate, facts).type);
}

export const baseline: Rule = ({ kind, past, behaviour, firstDue, segment, step, due }, { memory }) => {
  const activation = memory.activations.of(segment.id);
  if (activation === undefined) return null;
  if (kind === "fresh") return isBaseline(past, behaviour, firstDue, activation.activatedAt) ? settled("baseline") : null;
  if (kind === "over") return null;
  const since = activation.steps.get(step.name)?.activeSince ?? null;
  const known = past.some((row) => row.behaviour === behaviour && row.step === step.name);
  return since !== null && due <= since && !known ? settled("baseline") : null;
};

export const invalid: Rule = (candidate, facts) => {
  if (addressFor(candidate, facts) === null) return denied("invalid", "address");
  const { world } = candidate.row;
  for (const { column, required, acceptedValues } of candidate.segment.contract) {
    const value = world[column] ?? null;
    if (value === null ? required : acceptedValues !== null && !acceptedValues.map(String).includes(String(value))) {
      return denied("invalid", column);
    }
  }
  const needs = [...(facts.run.templateNeeds?.[candidate.version.template] ?? [])].sort();
  const missing = needs.find((column) => (world[column] ?? null) === null);
  return missing === undefined ? null : denied("invalid", missing);
};

export const audienceFailed: Rule = ({ segment }, facts) => {
  const goal = segment.goal === null ? [] : [segment.goal.audience];
  const used = [...goal, ...excludesOf(facts, segment), ...requiresOf(facts, segment)];
  const failed = used.find((name) => audienceNow(facts, name).failed);
  if (failed === undefined) return null;
  return pausedByPerson(segment, facts) === null && facts.surging.has(segment.id) ? waiting("surge") : waiting("audience_failed", failed);
};

export const converted: Rule = ({ kind, segment, row, behaviour }, facts) =>
  kind === "fresh" && goalReached(facts, segment, row.user, behaviour) ? denied("converted") : null;

export const excluded: Rule = ({ segment, row }, facts) => {
  const found = excludesOf(facts, segment).find((name) => audienceNow(facts, name).times.has(row.user));
  return found === undefined ? null : denied("excluded", found);
};

export const noConsent: Rule = ({ segment, row }, facts) => {
  const consents = (name: string): boolean => (audienceNow(facts, name).times.get(row.user) ?? []).some((time) => time === null || time <= facts.asOf);
  const missing = requiresOf(facts, segment).find((name) => !consents(name));
  return missing === undefined ? null : denied("no_consent", missing);
};

/** Those of the candidate's channel and address, in whatever form they were written. */
function suppressionsOf(candidate: Candidate, facts: Facts): Suppression[] {
  const { channel } = candidate.version;
  const type = facts.project.channels.get(channel)?.type;
  const address = addressFor(candidate, facts);
  return facts.memory.suppressions.filter((each) => nameOf(each.channel) === channel && suppressedAddress(each.address, type) === address);
}

export const suppressed: Rule = (candidate, facts) => {
  const reasons = suppressionsOf(candidate, facts)
    .filter((each) => nameOf(each.topic) === null)
    .map((each) => each.reason)
    .filter((reason) => candidate.segment.class !== "transactional" || reason !== "unsubscribe")
    .sort();
  return reasons[0] === undefined ? null : denied("suppressed", reasons[0]);
};

export const optedOut: Rule = (candidate, facts) => {
  const { user } = candidate.row;
  const { channel } = candidate.version;
  const { topic } = candidate.segment;
  if (saysNo(facts, user, null, null)) return denied("opted_out", "everything");
  if (saysNo(facts, user, channel, null)) return denied("opted_out", "channel");
  if (topic === null) return null;
  const fromTopic = suppressionsOf(candidate, facts).some((each) => nameOf(each.topic) === topic);
  if (fromTopic || saysNo(facts, user, null, topic)) return denied("opted_out", "topic");
  return saysNo(facts, user, channel, topic) ? denied("opted_out", "channel_topic") : null;
};

export const expired: Rule = ({ past, step, behaviour, expires }, { asOf }) => {
  if (asOf < expires) return null;
  const last = past.findLast((row) => row.step === step.name && row.behaviour === behaviour);
  return settled("expired", last?.event === "waiting" ? last.reason : "");
};

export const superseded: Rule = (candidate, facts) => {
  const { journey, due, siblings } = candidate;
  const claimed = journey?.claims.some((claim) => claim.due > due) ?? false;
  const rival = siblings.some((sibling) => sibling.due > due && isOpen(sibling, facts));
  return claimed || rival ? settled("superseded") : null;
};

/** Stopped by none of the rules 1 to 8 and 11. */
function isOpen(candidate: Candidate, facts: Facts): boolean {
  return Object.values(CLOSING).every((rule) => ask(rule, candidate, facts) === null);
}

export const repeatGap: Rule = ({ kind, segment: { repeat }, past, firstDue }) => {
  if (kind !== "fresh" || repeat.kind !== "every") return null;
  const last = journeysIn(past).findLast((journey) => journey.claims.some(counts));
  const first = last?.claims.find(counts);
  return first !== undefined && firstDue - first.decidedAt < repeat.seconds * 1000 ? settled("repeat_gap") : null;
};

function pausedByPerson(segment: Segment, facts: Facts): Answer | null {
  if (isPaused(facts, "project", "")) return waiting("paused", "project");
  return segment.status === "paused" || isPaused(facts, "segment", segment.id) ? waiting("paused", "segment") : null;
}

export const paused: Rule = ({ segment, version }, facts) => {
  const byPerson = pausedByPerson(segment, facts);
  if (byPerson !== null || facts.surging.has(segment.id)) return byPerson;
  return isPaused(facts, "channel", version.channel) ? waiting("paused", "channel") : null;
};

/** After a pause of the project or segment, before one of the channel. */
export const surge: Rule = ({ segment }, facts) => (pausedByPerson(segment, facts) === null && facts.surging.has(segment.id) ? waiting("surge") : null);

export const staleData: Rule = ({ segment, due }, facts) => {
  const { run, project, asOf } = facts;
  const goal = segment.goal === null ? [] : [segment.goal.audience];
  const readers = [segment.id, ...goal, ...excludesOf(facts, segment)];
  const loads = readers
    .flatMap((reader) => run.reads?.[reader] ?? [])
    .flatMap((name) => project.sources.get(name) ?? [])
    .filter((source) => source.loadedAt !== null)
    .map((source) => {
      const text = run.loadedAt?.[source.name] ?? null;
      return { at: text === null ? null : Date.parse(text), staleAfter: source.staleAfterSeconds };
    });
  const tooOld = loads.some(({ at, staleAfter }) => at === null || (staleAfter !== null && asOf - at > staleAfter * 1000));
  if (tooOld) return waiting("stale_data", "too_old");
  return loads.some(({ at }) => at !== null && due > at) ? waiting("stale_data", "not_loaded") : null;
};

export const stepGap: Rule = ({ journey, due }, { asOf }) => {
  let latest: LedgerRow | null = null;
  for (const claim of journey?.claims ?? []) {
    if (claim.due < due && (latest === null || claim.due >= latest.due)) latest = claim;
  }
  return latest !== null && asOf - latest.decidedAt < due - latest.due ? waiting("step_gap") : null;
};

export const quietHours: Rule = ({ row }, { asOf, project: { policy } }) => {
  if (policy.quietHours === null) return null;
  const local = localTime(asOf, row.world.timezone ?? null, policy.timezone);
  return isShut(local, policy.quietHours) ? waiting("quiet_hours") : null;
};

/** Counting marketing claims of the candidate's user, and those at its address, later than an instant. */
function recent(candidate: Candidate, facts: Facts, after: number): LedgerRow[][] {
  const { ledger } = facts.memory;
  const address = addressFor(candidate, facts);
  const seen = (row: LedgerRow): boolean => row.marketing && counts(row) && row.decidedAt > after;
  return [ledger.claimsOfUser(candidate.row.user).filter(seen), address === null ? [] : ledger.claimsAtAddress(address).filter(seen)];
}

export const cap: Rule = (candidate, facts) => {
  const matches = (one: Cap, channel: string, topic: string | null): boolean =>
    (one.channel === null || one.channel === channel) && (one.topic === null || one.topic === topic);
  const isFull = (one: Cap): boolean =>
    matches(one, candidate.version.channel, candidate.segment.topic) &&
    recent(candidate, facts, facts.asOf - one.windowSeconds * 1000).some(
      (claims) => claims.filter((claim) => matches(one, claim.channel, claim.topic)).length >= one.max,
    );
  const full = facts.project.policy.caps.find(isFull);
  return full === undefined ? null : waiting("cap", full.name);
};

export const spacing: Rule = (candidate, facts) => {
  const seconds = facts.project.policy.spacingSeconds;
  if (seconds === null) return null;
  return recent(candidate, facts, facts.asOf - seconds * 1000).some((claims) => claims.length > 0) ? waiting("spacing") : null;
};

const UP_TO_EXPIRED = {
  ...{ baseline, invalid, audience_failed: audienceFailed, converted, excluded, no_consent: noConsent },
  ...{ suppressed, opted_out: optedOut, expired },
};
/** By these a step isn't open. */
export const CLOSING: Readonly<Record<string, Rule>> = { ...UP_TO_EXPIRED, paused, surge };
/** Rules 1 to 16 by their reasons, in order. */
export const ALONE: Readonly<Record<string, Rule>> = {
  ...UP_TO_EXPIRED,
  ...{ superseded, repeat_gap: repeatGap, paused, surge, stale_data: staleData, step_gap: stepGap, quiet_hours: quietHours, cap, spacing },
};
export const NOT_FOR_TRANSACTIONAL: Readonly<Record<string, Rule>> = { opted_out: optedOut, quiet_hours: quietHours, cap, spacing };

function ask(rule: Rule, candidate: Candidate, facts: Facts): Answer | null {
  if (candidate.segment.class === "transactional" && Object.values(NOT_FOR_TRANSACTIONAL).includes(rule)) return null;
  return rule(candidate, facts);
}

/** The answer of the first of rules 1 to 16 that bites; null when none does. */
export function firstThatBites(candidate: Candidate, facts: Facts): Answer | null {
  for (const rule of Object.values(ALONE)) {
    const answer = ask(rule, candidate, facts);
    if (answer !== null) return answer;
  }
  return null;
}
