import { formatDuration, parseDuration } from "../core/durations.js";
import type { Problem } from "../core/errors.js";
import { callsOf, placeInFile } from "../project/written/sql-tokens.js";
import type { Project, Segment } from "../project/types.js";

/**
 * A goal that looks back less far than the journey lasts forgets who reached it, and messages them: one problem for each
 * such `ago` of a goal's audience. `lookBackSeconds` gives the time from a behaviour to the end of the last step's window.
 */
export function goalWarnings(project: Project, segments: readonly Segment[], lookBackSeconds: (segment: Segment) => number): Problem[] {
  return segments.flatMap((segment) => {
    const audience = segment.goal === null ? undefined : project.audiences.get(segment.goal.audience);
    const lasts = lookBackSeconds(segment);
    return callsOf("ago", audience?.sql ?? "").flatMap(({ text, from, comment }): Problem[] => {
      const looksBack = parseDuration(text);
      if (audience === undefined || comment || looksBack === undefined || looksBack >= lasts) return [];
      return [
        {
          code: "audience/short-goal",
          message: `Goal ${audience.name} looks back ${text}, but a journey of ${segment.id} lasts ${formatDuration(lasts)}: users who reached the goal earlier would still be messaged.`,
          hint: `Write {{ago "${formatDuration(lasts)}"}} or longer.`,
          file: audience.file,
          ...placeInFile(audience, from),
        },
      ];
    });
  });
}
