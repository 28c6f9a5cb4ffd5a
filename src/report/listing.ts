import { formatDuration } from "../core/durations.js";
import type { Audience, Policy, Segment } from "../project/types.js";
import type { Paint } from "./paint.js";
import { tableWithin } from "./tables.js";

/** Segments with their steps. */
export function segmentListing(segments: readonly Segment[], width: number, paint: Paint): string {
  if (segments.length === 0) return "The project has no segments yet: write one under segments/.";
  const rows = segments.map((segment) => ({
    cells: [
      segment.id,
      segment.status,
      segment.signal ?? "",
      segment.priority,
      [...new Set(channelsOf(segment))].join(", "),
      segment.class === "transactional" ? "transactional" : (segment.topic ?? ""),
    ],
    list: segment.steps.map((step) => `${step.name} +${formatDuration(step.afterSeconds)}`),
  }));
  return tableWithin(["segment", "status", "signal", "priority", "channel", "topic", "steps"], rows, width, paint);
}

/** Audiences with who uses them. */
export function audienceListing(segments: readonly Segment[], audiences: readonly Audience[], policy: Policy, width: number, paint: Paint): string {
  if (audiences.length === 0) return "The project has no audiences.";
  const rows = audiences.map(({ name }) => ({ cells: [name], list: usesOf(name, segments, audiences, policy) }));
  return tableWithin(["audience", "used by"], rows, width, paint);
}

/** Segments and audiences, as `ls --output json` has them. */
export function listingDocument(segments: readonly Segment[], audiences: readonly Audience[]): object {
  return {
    schema_version: 1,
    segments: segments.map((segment) => ({
      segment: segment.id,
      file: segment.file,
      description: segment.description,
      status: segment.status,
      signal: segment.signal,
      class: segment.class,
      priority: segment.priority,
      topic: segment.topic,
      goal: segment.goal?.audience ?? null,
      builds_on: segment.buildsOn,
      steps: segment.steps.map(({ name, afterSeconds, withinSeconds, channel, template, variants }) => ({
        name,
        after_seconds: afterSeconds,
        within_seconds: withinSeconds,
        channel,
        template,
        variants: variants.map((variant) => variant.name),
      })),
    })),
    audiences: audiences.map(({ name, file, description, minRows, buildsOn }) => ({
      audience: name,
      file,
      description,
      min_rows: minRows,
      builds_on: buildsOn,
    })),
  };
}

function channelsOf({ steps }: Segment): string[] {
  return steps.flatMap((step) => (step.variants.length === 0 ? [step.channel] : step.variants.map(({ channel }) => channel)));
}

function usesOf(audience: string, segments: readonly Segment[], audiences: readonly Audience[], policy: Policy): string[] {
  return [
    ...(policy.exclude.includes(audience) ? ["policy (exclude)"] : []),
    ...(policy.require.includes(audience) ? ["policy (require)"] : []),
    ...segments.flatMap(({ id, goal, exclude, require, buildsOn }) => [
      ...(goal?.audience === audience ? [`${id} (goal)`] : []),
      ...(exclude.includes(audience) ? [`${id} (exclude)`] : []),
      ...(require.includes(audience) ? [`${id} (require)`] : []),
      ...(buildsOn.includes(audience) ? [`${id} (builds on it)`] : []),
    ]),
    ...audiences.flatMap(({ name, buildsOn }) => (buildsOn.includes(audience) ? [`${name} (builds on it)`] : [])),
  ];
}
