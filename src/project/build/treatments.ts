import { channelKind, type AddressKind } from "../../channels/registry.js";
import type { Project, Segment, Step, Treatment } from "../types.js";

/** One version of one step: the step itself (`variant` is empty), or each of its variants. */
export function treatments(segment: Pick<Segment, "steps">): (Treatment & { step: string; factor: string; variant: string; weight: number })[] {
  return segment.steps.flatMap((step) => {
    const { name, variants, ...own } = step;
    if (variants.length === 0) return [{ ...own, step: name, factor: name, variant: "", weight: 1 }];
    return variants.map(({ name: variant, ...version }) => ({ ...version, step: name, factor: step.factor, variant }));
  });
}

/** When a step is due at the earliest and at the latest, whatever its variant; seconds after the behaviour. */
function dueBetween({ variants, ...own }: Step): { earliest: number; latest: number } {
  const afters = (variants.length === 0 ? [own] : variants).map(({ afterSeconds }) => afterSeconds);
  return { earliest: Math.min(...afters), latest: Math.max(...afters) };
}

/**
 * When the first step is due at the latest, seconds after the behaviour, and the steps that come earlier to users of some variants.
 * These are all of one factor: see checkFactors.
 */
export function firstStep(steps: readonly Step[]): { latest: number; earlier: Step[] } {
  const latest = Math.min(...steps.map((step) => dueBetween(step).latest));
  return { latest, earlier: steps.filter((step) => dueBetween(step).earliest < latest) };
}

/** The column of a segment's query that holds a channel's address. */
export function addressColumn(project: Pick<Project, "channels">, channel: string): AddressKind {
  const type = project.channels.get(channel)?.type;
  if (type === undefined) throw new Error(`No channel ${channel}: the project was not validated`);
  return channelKind(type).address.column;
}
