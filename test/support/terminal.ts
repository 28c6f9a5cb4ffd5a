/** A terminal that remembers: for commands that tests call instead of starting a process. */
import pc from "picocolors";
import type { Terminal } from "../../src/commands/shared/terminal.js";

export interface Told {
  code: number;
  stdout: string;
  stderr: string;
}

/** Calls a command as the command line would; its errors are thrown. */
export async function told(command: (terminal: Terminal) => Promise<number>): Promise<Told> {
  const plain = pc.createColors(false);
  const lines = { stdout: "", stderr: "" };
  const err = (text: string): void => void (lines.stderr += `${text}\n`);
  const out = (text: string): void => void (lines.stdout += `${text}\n`);
  const code = await command({ out, note: err, warn: err, outPaint: plain, errPaint: plain, width: 120 });
  return { code, ...lines };
}
