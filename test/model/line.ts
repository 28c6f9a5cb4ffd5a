/** Rules 17 to 20: who goes first, how many may go in one run, who stays silent to measure lift. */
import { bucket, inGroup } from "./identity.js";
import type { Candidate } from "./journeys.js";
import type { Answer } from "./rules.js";
import { addressFor } from "./rules.js";
import type { Facts } from "./world.js";

/** Higher priority, then nearer expiry, then message id. */
function inLine(a: Candidate, b: Candidate): number {
  if (a.segment.priority !== b.segment.priority) return b.segment.priority - a.segment.priority;
  if (a.expires !== b.expires) return a.expires - b.expires;
  return a.messageId < b.messageId ? -1 : 1;
}

/** Keeps the first of each group of a sorted line. */
function firsts(line: readonly Candidate[], group: (candidate: Candidate) => string | null): Candidate[] {
  const taken = new Set<string | null>();
  return line.filter((candidate) => {
    const name = group(candidate);
    if (taken.has(name)) return false;
    taken.add(name);
    return true;
  });
}

/** Reasons of rules 17 to 20, in order. */
export const IN_LINE = ["outranked", "run_limit", "held_out", "claimed"] as const;

/** Answers for every candidate that rules 1 to 16 leave. */
export function decideLine(left: readonly Candidate[], facts: Facts): Map<Candidate, Answer> {
  const answers = new Map<Candidate, Answer>();
  const stop = (from: readonly Candidate[], kept: readonly Candidate[], reason: string, rule: string): void => {
    const stays = new Set(kept);
    for (const each of from) if (!stays.has(each)) answers.set(each, { event: "waiting", reason, rule });
  };
  const marketing = left.filter((each) => each.segment.class === "marketing").sort(inLine);

  const ofUsers = firsts(marketing, (each) => each.row.user);
  stop(marketing, ofUsers, "outranked", "user");
  const ofAddresses = firsts(ofUsers, (each) => addressFor(each, facts));
  stop(ofUsers, ofAddresses, "outranked", "address");

  const places = new Map<string, number>();
  const inSegments = ofAddresses.filter(({ segment }) => {
    const place = 1 + (places.get(segment.id) ?? 0);
    places.set(segment.id, place);
    return segment.maxPerRun === null || place <= segment.maxPerRun;
  });
  stop(ofAddresses, inSegments, "run_limit", "segment");
  const inProject = inSegments.slice(0, facts.project.policy.maxPerRun);
  stop(inSegments, inProject, "run_limit", "project");

  for (const each of inProject) answers.set(each, heldOut(each, facts) ?? { event: "claimed", reason: "claimed", rule: "" });
  for (const each of left) {
    if (each.segment.class === "transactional") answers.set(each, { event: "claimed", reason: "claimed", rule: "" });
  }
  return answers;
}

/** The first claim of a journey asks the buckets; a later one follows it. */
function heldOut({ journey, row, segment }: Candidate, { project }: Facts): Answer | null {
  const group = (rule: string): Answer => ({ event: "held_out", reason: "held_out", rule });
  if (journey !== null) {
    const [first] = journey.claims;
    return first.event === "held_out" ? group(first.rule) : null;
  }
  if (inGroup(bucket("holdout", row.user), project.policy.holdout)) return group("project");
  return inGroup(bucket("holdout", row.user, segment.id), segment.holdout) ? group("segment") : null;
}
