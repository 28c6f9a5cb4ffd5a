/** The breaker of surges: what each run of a segment offered, and which segments offer far more than usual. */
import type { Segment } from "../../src/project/types.js";
import type { Candidate } from "./journeys.js";
import type { Answer } from "./rules.js";
import type { Facts } from "./world.js";

const DAY = 24 * 3_600_000;

interface KnownRun {
  run: number;
  segment: string;
  /** Ms since 1970 UTC. */
  asOf: number;
  offered: number;
}

/** What each run of each segment offered, those left out whose query failed or that a surge held back; a forgotten run leaves nothing. */
export class Offers {
  private known: KnownRun[] = [];

  add(run: KnownRun): void {
    this.known.push(run);
  }

  forget(run: number): void {
    this.known = this.known.filter((each) => each.run !== run);
  }

  ofRun(run: number): readonly KnownRun[] {
    return this.known.filter((each) => each.run === run);
  }

  /** Of the last 14 days; where these are fewer than five, the last five, and what has the `as_of` of the fifth. */
  of(segment: string, asOf: number): number[] {
    const all = this.known.filter((each) => each.segment === segment).sort((a, b) => b.asOf - a.asOf);
    const lately = all.filter((each) => each.asOf >= asOf - 14 * DAY);
    const fifth = all[4]?.asOf ?? -Infinity;
    return (lately.length >= 5 ? lately : all.filter((each) => each.asOf >= fifth)).map(({ offered }) => offered);
  }
}

/** How many of a segment's candidates this run offers for the first time, or once more while they wait for approval. */
export function offeredBy(segment: Segment, answers: ReadonlyMap<Candidate, Answer>): number {
  const isOffer = ([each, { event }]: [Candidate, Answer]): boolean => {
    if (each.segment !== segment || event === "settled" || event === "denied" || each.from !== each.behaviour) return false;
    const last = each.past.findLast((row) => row.step === each.step.name && row.behaviour === each.behaviour);
    return !(last?.event === "released" || (last?.event === "waiting" && last.reason !== "surge"));
  };
  return [...answers].filter(isOffer).length;
}

/** The segments that offer more than they may, and that nobody let go. */
export function surging(segments: Iterable<Segment>, answers: ReadonlyMap<Candidate, Answer>, facts: Facts): Set<string> {
  const { surge } = facts.project.policy;
  const { approve = [], backfill = [] } = facts.run;
  if (surge === null) return new Set();
  const held = [...segments].filter((segment) => {
    if (approve.includes(segment.id) || backfill.includes(segment.id)) return false;
    const known = facts.memory.offers.of(segment.id, facts.asOf);
    const offering = known.filter((offered) => offered > 0).sort((a, b) => b - a);
    const median = offering[Math.floor(offering.length / 2)] ?? 0;
    const offered = offeredBy(segment, answers);
    return offered > surge.atLeast && (known.length < 5 || offered > surge.multiple * median);
  });
  return new Set(held.map(({ id }) => id));
}
