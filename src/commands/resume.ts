import { setPause, type PauseOptions } from "./pause.js";
import type { Terminal } from "./terminal.js";

/** Ends the pause of a segment, a channel or everything. */
export function resumeCommand(terminal: Terminal, options: PauseOptions, [segment]: readonly string[]): Promise<number> {
  return setPause(terminal, options, segment, false);
}
