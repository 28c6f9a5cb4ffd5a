import { formatDuration, parseDuration } from "../core/durations.js";
import type { Problem } from "../core/errors.js";
import type { Project, Segment } from "../project/types.js";

/** `{{ago "7 days"}}`, with either kind of quotes and two or three braces. */
const AGO = /\{\{\{?~?\s*ago\s+(["'])(.*?)\1\s*~?\}?\}\}/g;

/**
 * A goal that looks back less far than the journey lasts forgets who reached it, and messages them: one problem for each
 * such `ago` of a goal's audience. `lookBackSeconds` gives the time from a behaviour to the end of the last step's window.
 */
export function goalWarnings(project: Project, segments: readonly Segment[], lookBackSeconds: (segment: Segment) => number): Problem[] {
  return segments.flatMap((segment) => {
    const audience = segment.goal === null ? undefined : project.audiences.get(segment.goal.audience);
    const lasts = lookBackSeconds(segment);
    return [...(audience?.sql.matchAll(AGO) ?? [])].flatMap((call): Problem[] => {
      const [, , text = ""] = call;
      const looksBack = parseDuration(text);
      if (audience === undefined || looksBack === undefined || looksBack >= lasts) return [];
      const before = audience.sql.slice(0, call.index).split("\n");
      return [
        {
          code: "audience/short-goal",
          message: `Goal ${audience.name} looks back ${text}, but a journey of ${segment.id} lasts ${formatDuration(lasts)}: users who reached the goal earlier would still be messaged.`,
          hint: `Write {{ago "${formatDuration(lasts)}"}} or longer.`,
          file: audience.file,
          line: audience.sqlLine + before.length - 1,
          column: (before.at(-1)?.length ?? 0) + 1,
        },
      ];
    });
  });
}
