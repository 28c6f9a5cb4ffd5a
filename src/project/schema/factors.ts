import { stepsOf } from "../build/build.js";
import type { Report } from "./problems.js";
import type { SegmentFrontMatter } from "./segment-schema.js";
import { firstStep } from "../build/treatments.js";
import type { Step } from "../types.js";

/** Steps of one factor have the same variants, and one factor alone says which step comes first. */
export function checkFactors(data: SegmentFrontMatter, report: Report): void {
  const steps = stepsOf(data);
  const first = new Map<string, Step>();
  for (const [index, step] of steps.entries()) {
    const path = ["steps", String(index)];
    if (step.variants.length === 0) {
      if (data.steps?.[index]?.factor === undefined) continue;
      const message = `steps.${String(index)}.factor has no effect, as the step has no variants`;
      report([...path, "factor"], "no-effect", message, "add variants:, or leave factor out", "key");
      continue;
    }
    const other = first.get(step.factor);
    if (other === undefined) first.set(step.factor, step);
    else if (variantsOf(step) !== variantsOf(other)) {
      const message = `the step "${step.name}" has the variants ${variantsOf(step)}, but "${other.name}", of the same factor "${step.factor}", has ${variantsOf(other)}`;
      report([...path, "variants"], "factor", message, "write the same names, weights and order, or another factor:", "key");
    }
  }
  checkFirst(steps, report);
}

/** `a (weight 1), b (weight 2)` */
function variantsOf({ variants }: Step): string {
  return variants.map(({ name, weight }) => `${name} (weight ${String(weight)})`).join(", ");
}

function checkFirst(steps: readonly Step[], report: Report): void {
  const [one, ...others] = firstStep(steps).earlier;
  const other = others.find(({ factor }) => factor !== one?.factor);
  if (one === undefined || other === undefined) return;
  const message = `"${one.name}" or "${other.name}" is the first step, by variants of two factors: "${one.factor}" and "${other.factor}"`;
  report(["steps", String(steps.indexOf(other)), "variants"], "factor", message, "give both the same factor:, or move one of them past the other", "key");
}
