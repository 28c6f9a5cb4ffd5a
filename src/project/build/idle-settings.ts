/** Settings that are written and change nothing as the project stands: `compile` warns of each, at its place. */
import type { Problem } from "../../core/errors.js";
import { providerKind } from "../../delivery/providers/registry.js";
import { problemAt, valueAt } from "../schema/problems.js";
import type { ProjectFile } from "../schema/project-schema.js";
import type { SegmentFrontMatter } from "../schema/segment-schema.js";
import { typeOf } from "../targets/targets.js";
import type { Path, YamlSource } from "../written/yaml-source.js";

/** Of opportune.yml. */
export function idleProjectSettings({ channels }: ProjectFile, source: YamlSource): Problem[] {
  return Object.entries(channels).flatMap(([name, { provider }]) =>
    providerKind(provider)
      .idleKeys.filter((key) => valueAt(source.value, ["channels", name, key]) !== undefined)
      .map((key) =>
        idle(
          source,
          ["channels", name, key],
          `channels.${name}.${key} has no effect beside provider: ${provider}, which writes files.`,
          "Leave it out, or name the provider that it is for.",
        ),
      ),
  );
}

/** Of a segment's front matter, in a project with these targets. */
export function idleSegmentSettings(data: SegmentFrontMatter, source: YamlSource, targets: ProjectFile["targets"]): Problem[] {
  const types = [...new Set(Object.values(targets).map(({ type }) => type))];
  return [
    ...(typeof data.goal === "object" && data.goal.within !== undefined
      ? [
          idle(
            source,
            ["goal", "within"],
            "goal.within has no effect yet: no decision and no report reads it.",
            "Leave it out: the goal ends the journey whenever it is reached.",
          ),
        ]
      : []),
    ...(data.class === "transactional" && data.topic !== undefined
      ? [
          idle(
            source,
            ["topic"],
            "topic stops nothing in a transactional segment: opt-outs of a topic and caps don't hold for it.",
            "Leave it out, or make the segment class: marketing.",
          ),
        ]
      : []),
    ...(data.max_bytes_billed !== undefined && !types.some((type) => typeOf(type).metered)
      ? [
          idle(
            source,
            ["max_bytes_billed"],
            `max_bytes_billed has no effect on ${types.join(" and ")}, which can't say beforehand what a query reads.`,
            "Leave it out. Snowflake and BigQuery heed it.",
          ),
        ]
      : []),
  ];
}

function idle(source: YamlSource, path: Path, message: string, hint: string): Problem {
  return problemAt(source, path, { code: "config/no-effect", message, hint }, "key");
}
