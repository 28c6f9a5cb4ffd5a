/** Since when a segment, and each of its steps, is at work: what was due by then is baseline. */
import type { Segment, Step } from "../../src/project/types.js";

/** Kept from a segment's last run in which its query succeeded. Instants are ms since 1970 UTC. */
export interface Activation {
  shape: string;
  /** Null: the first run sent to those already qualified, so nothing is baseline. */
  activatedAt: number | null;
  /** By step name; activeSince is null for steps neither new nor moved since the segment began. */
  steps: ReadonlyMap<string, { moved: string; activeSince: number | null }>;
  succeededAt: number;
}

/** What an edit of which moves `activated_at`: query, key, repeat and the steps' names, factors and times, not channel or template. */
function shapeOf(segment: Segment): string {
  const steps = segment.steps.map(({ name, factor, afterSeconds, withinSeconds, variants }) => {
    return [name, afterSeconds, withinSeconds, variants.map((each) => [factor, each.name, each.afterSeconds, each.withinSeconds])];
  });
  return JSON.stringify([segment.sql, segment.key, segment.repeat, steps]);
}

/** What an edit of which moves a step: when it falls due, in each of its variants, and by what they are drawn. */
function movesOf(step: Step): string {
  return JSON.stringify([step.afterSeconds, step.variants.map((variant) => [step.factor, variant.name, variant.afterSeconds])]);
}

/** The activation that holds in a run in which the query succeeded; `before` is that of the last such run. */
export function activate(segment: Segment, asOf: number, before: Activation | undefined): Activation {
  const shape = shapeOf(segment);
  if (before === undefined) {
    const steps = new Map(segment.steps.map((step) => [step.name, { moved: movesOf(step), activeSince: null }]));
    return { shape, activatedAt: segment.firstRun === "send" ? null : asOf, steps, succeededAt: asOf };
  }
  const steps = new Map(
    segment.steps.map((step) => {
      const moved = movesOf(step);
      const known = before.steps.get(step.name);
      const activeSince = known?.moved === moved ? known.activeSince : before.succeededAt;
      return [step.name, { moved, activeSince }];
    }),
  );
  const activatedAt = shape === before.shape ? before.activatedAt : before.succeededAt;
  return { shape, activatedAt, steps, succeededAt: asOf };
}

/** What each run left of each segment, oldest first; a forgotten run leaves nothing. */
export class Activations {
  private known: { run: number; segment: string; activation: Activation }[] = [];

  of(segment: string): Activation | undefined {
    return this.known.findLast((each) => each.segment === segment)?.activation;
  }

  /** Of those that ever ran. */
  segments(): string[] {
    return [...new Set(this.known.map(({ segment }) => segment))];
  }

  add(run: number, segment: string, activation: Activation): void {
    this.known.push({ run, segment, activation });
  }

  forget(run: number): void {
    this.known = this.known.filter((each) => each.run !== run);
  }
}
