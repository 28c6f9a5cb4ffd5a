/** One run of the built command line, as it is shipped, watched from outside. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { RunDocument } from "../src/report/artefacts.js";
import { endWithUs } from "./children.js";

/** A run that takes longer than this is ended, ms: nothing of the benchmark goes on by itself. */
const LONGEST_RUN_MS = 600_000;

const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

/** Tells on file descriptor 3, at the end, the most memory that the process held (kB) and its time on the processors (µs). */
const TELL_PEAK = `data:text/javascript,import{writeSync}from"node:fs";process.on("exit",()=>writeSync(3,JSON.stringify(process.resourceUsage())))`;

export interface Watched {
  document: RunDocument;
  /** From starting the process to its end. */
  wallMs: number;
  /** Most resident memory of the process. */
  peakMb: number;
  /** Of all its threads, DuckDB's too: what a busy machine hardly changes. */
  cpuMs: number;
}

export async function runOnce(root: string, asOf: string, ...more: string[]): Promise<Watched> {
  const started = performance.now();
  const child = endWithUs(
    spawn(process.execPath, ["--import", TELL_PEAK, CLI, "run", "--as-of", asOf, "--output", "json", "--quiet", ...more], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit", "pipe"],
      timeout: LONGEST_RUN_MS,
    }),
  );
  let said = "";
  let usage = "";
  child.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stdio[3]?.on("data", (chunk: Buffer) => (usage += chunk.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  const wallMs = performance.now() - started;
  if (code !== 0) throw new Error(`the run ended with ${String(code)}: ${said}`);
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(usage) as NodeJS.ResourceUsage;
  return { document: JSON.parse(said) as RunDocument, wallMs, peakMb: maxRSS / 1024, cpuMs: (userCPUTime + systemCPUTime) / 1000 };
}
