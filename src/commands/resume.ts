import { endPauses } from "../ledger/pauses.js";
import { named, withPause, type ResumeOptions } from "./pause.js";
import type { Terminal } from "./shared/terminal.js";

/** Ends every pause of a segment, a channel or everything: an operator's, and a breaker's, which sets one again if its channel still fails. */
export function resumeCommand(terminal: Terminal, options: ResumeOptions, [segment]: readonly string[]): Promise<number> {
  return withPause(terminal, options, segment, "resume", async (pause, standing, { project, ledger, trial }) => {
    if (standing.length === 0) return `${named(pause, project)} was not paused.`;
    await endPauses(ledger, pause, trial);
    const breaker = standing.some(({ kind }) => kind === "breaker") ? "\nIts breaker had paused it, and does so again if the channel still fails." : "";
    const written =
      pause.scope === "segment" && project.segments.get(pause.name)?.status === "paused"
        ? `\nIts file still says \`status: paused\`: set it to \`live\` to send again.`
        : "";
    return `${named(pause, project)} is resumed from the next run on: what waits is decided again then, if its window is still open.${breaker}${written}`;
  });
}
