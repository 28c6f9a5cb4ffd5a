import { channelKind, type AddressKind } from "../../channels/registry.js";
import type { Project, Segment, Treatment } from "../types.js";

/** One version of one step: the step itself (`variant` is empty), or each of its variants. */
export function treatments(segment: Segment): (Treatment & { step: string; variant: string; weight: number })[] {
  return segment.steps.flatMap((step) => {
    const { name, variants, ...own } = step;
    if (variants.length === 0) return [{ ...own, step: name, variant: "", weight: 1 }];
    return variants.map(({ name: variant, ...version }) => ({ ...version, step: name, variant }));
  });
}

/** The column of a segment's query that holds a channel's address. */
export function addressColumn(project: Pick<Project, "channels">, channel: string): AddressKind {
  const type = project.channels.get(channel)?.type;
  if (type === undefined) throw new Error(`No channel ${channel}: the project was not validated`);
  return channelKind(type).address.column;
}
