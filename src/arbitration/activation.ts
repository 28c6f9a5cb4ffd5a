import type { Segment } from "../project/types.js";
import { treatments } from "../project/build/treatments.js";
import { isShapeOf, shapeOf } from "./shape.js";

/** Since when a step stands as it does: those due by then, and unheard of, are baseline. */
export interface ActiveStep {
  step: string;
  variant: string;
  /** By what the variant is drawn; absent where it was recorded before there were factors: the step's name. */
  factor?: string;
  afterSeconds: number;
  withinSeconds: number;
  /** ISO 8601 UTC; null: no baseline. */
  activeSince: string | null;
}

export interface Activation {
  /** Hashes of what makes a segment another one: query, key, repeat and steps. */
  shape: string;
  /** ISO 8601 UTC; null: no baseline (`first_run: send`). */
  activatedAt: string | null;
  steps: readonly ActiveStep[];
}

/** What the last run in which the segment's query worked left behind. */
export interface PreviousActivation extends Activation {
  /** That run's `as_of`, ISO 8601 UTC. */
  asOf: string;
}

/**
 * Since when a segment counts as begun: its first successful run, or, once query, key, repeat or steps were changed, the last
 * successful run before the change. A step keeps its own date for as long as its offset and its factor stay.
 */
export function activate(segment: Segment, previous: PreviousActivation | undefined, asOf: string): Activation {
  const shape = shapeOf(segment);
  const began =
    previous === undefined ? (segment.firstRun === "send" ? null : asOf) : isShapeOf(segment, previous.shape) ? previous.activatedAt : previous.asOf;
  const steps = treatments(segment).map(({ step, variant, factor, afterSeconds, withinSeconds }) => {
    const before = previous?.steps.find(
      (old) => old.step === step && old.variant === variant && (old.factor ?? step) === factor && old.afterSeconds === afterSeconds,
    );
    return {
      step,
      variant,
      factor,
      afterSeconds,
      withinSeconds,
      activeSince: previous === undefined ? began : before === undefined ? previous.asOf : before.activeSince,
    };
  });
  return { shape, activatedAt: began, steps };
}
