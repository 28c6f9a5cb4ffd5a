/** Constants of the rules: what messages need, audiences, caps, zones, and what follows from each reason. */
import type { Cap, Project } from "../project/types.js";
import type { Constant, ConstantTable } from "../warehouse/sql.js";
import { audiencesAsked, type Arbitration } from "./constants.js";
import { REASONS } from "./reasons.js";

export function needConstants({ segments }: Arbitration): ConstantTable {
  return {
    columns: [
      { name: "segment", type: "text" },
      { name: "step", type: "text" },
      { name: "variant", type: "text" },
      { name: "code", type: "text" },
      { name: "field", type: "text" },
      { name: "place", type: "bigint" },
    ],
    rows: segments.flatMap(({ segment, checks }) =>
      checks.flatMap((check, place) => check.steps.map((step): Constant[] => [segment.id, step.step, step.variant, check.code, check.field, place])),
    ),
  };
}

export function audienceConstants({ project, segments }: Arbitration): ConstantTable {
  return {
    columns: [
      { name: "segment", type: "text" },
      { name: "role", type: "text" },
      { name: "audience", type: "text" },
      { name: "place", type: "bigint" },
    ],
    rows: segments.flatMap(({ segment }) => audiencesAsked(project, segment).map((use, place): Constant[] => [segment.id, use.role, use.audience, place])),
  };
}

/**
 * What follows from a reason. A candidate that is settled (`settles`) is not offered again for this behaviour; claims and
 * hold-outs count (`counts`) for caps, spacing and repeat; those that wait are offered again, and those that are denied
 * asked again.
 */
export function outcomeConstants(): ConstantTable {
  return {
    columns: [
      { name: "reason", type: "text" },
      { name: "place", type: "bigint" },
      { name: "event", type: "text" },
      { name: "settles", type: "bigint" },
      { name: "counts", type: "bigint" },
    ],
    rows: REASONS.filter(({ place }) => place !== null).map(({ name, place, event, settles, counts }): Constant[] => [name, place, event, settles, counts]),
  };
}

/** All caps, and the spacing as the last: one claim within the time it asks for. */
export function capConstants({ policy }: Project): ConstantTable {
  const row = (cap: Cap, place: number, isSpacing: boolean): Constant[] => [place, cap.name, cap.max, cap.windowSeconds, cap.channel, cap.topic, isSpacing];
  const spacing =
    policy.spacingSeconds === null
      ? []
      : [row({ name: "spacing", max: 1, windowSeconds: policy.spacingSeconds, channel: null, topic: null }, policy.caps.length, true)];
  return {
    columns: [
      { name: "place", type: "bigint" },
      { name: "name", type: "text" },
      { name: "max_claims", type: "bigint" },
      { name: "window_seconds", type: "bigint" },
      { name: "channel", type: "text" },
      { name: "topic", type: "text" },
      { name: "is_spacing", type: "boolean" },
    ],
    rows: [...policy.caps.map((cap, place) => row(cap, place, false)), ...spacing],
  };
}

/** The longest that any cap looks back, seconds. */
export function longestCapSeconds({ policy }: Project): number {
  return Math.max(0, policy.spacingSeconds ?? 0, ...policy.caps.map((cap) => cap.windowSeconds));
}

/** Zones that exist, in lower case: there are some 600, however many odd ones the rows hold. */
export function zoneConstants({ zones }: Arbitration): ConstantTable {
  const known = new Map(zones.filter((zone) => zone.known).map((zone) => [zone.zone.toLowerCase(), zone]));
  return {
    columns: [
      { name: "zone", type: "text" },
      { name: "shut", type: "boolean" },
      { name: "opens_at", type: "timestamp" },
      { name: "shuts_at", type: "timestamp" },
    ],
    rows: [...known].map(([name, zone]): Constant[] => [name, zone.shut, { timestamp: zone.opensAt }, { timestamp: zone.shutsAt }]),
  };
}

/** Columns of the project's own zone, which stands for every other. */
export function otherZone({ zones }: Arbitration): Readonly<Record<"shut" | "opens_at" | "shuts_at", Constant>> {
  const own = zones.find(({ zone }) => zone === "");
  return { shut: own?.shut ?? false, opens_at: { timestamp: own?.opensAt ?? null }, shuts_at: { timestamp: own?.shutsAt ?? null } };
}
