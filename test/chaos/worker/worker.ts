/** A process that makes whole runs of the built command line's code, one after another, as the test tells it. */
import { existsSync, readFileSync } from "node:fs";
import type * as Errors from "../../../src/core/errors.js";
import type * as Load from "../../../src/project/build/load.js";
import type * as Run from "../../../src/run/run.js";
import type * as Open from "../../../src/warehouse/open.js";
import { arm, install, statementsSeen } from "./gate.js";
import type { FromWorker, Job, Outcome, ToWorker } from "./messages.js";

/** Compiled, this file stands two folders below the project's own. */
const dist = (file: string): string => new URL(`../../dist/${file}`, import.meta.url).href;
const { OpportuneError } = (await import(dist("core/errors.js"))) as typeof Errors;
const { loadProject } = (await import(dist("project/build/load.js"))) as typeof Load;
const { run } = (await import(dist("run/run.js"))) as typeof Run;
const { openWarehouse } = (await import(dist("warehouse/open.js"))) as typeof Open;
// What a run imports late: here it would only add to each run's time.
await import(dist("delivery/providers/sendgrid/provider.js"));
await install(process.argv[2] === "postgres" ? "postgres" : "duckdb");

const say = (message: FromWorker): void => {
  process.send?.(message);
};
let go: () => void = () => undefined;

const wall = Date.now;

async function perform({ root, batch, orders, clock }: Job): Promise<Outcome> {
  const began = performance.now();
  Date.now = clock === null ? wall : () => wall() + (existsSync(clock) ? Number(readFileSync(clock, "utf8")) : 0);
  arm(orders, (label) => {
    const told = new Promise<void>((resolve) => (go = resolve));
    say({ kind: "reached", label });
    return told;
  });
  const outcome: Outcome = { ok: false, code: null, message: null, runId: null, recovered: null, claims: 0, accepted: 0, inDoubt: 0, statements: [], ms: 0 };
  const ignore = (): void => undefined;
  try {
    const project = loadProject(root, { env: {} });
    const warehouse = await openWarehouse(project.target.connection, { root });
    try {
      const stream = warehouse.stream.bind(warehouse);
      warehouse.stream = (statement, size) => stream(statement, Math.min(size, batch));
      const result = await run(project, warehouse, {
        segments: [...project.segments.values()],
        backfill: new Set(),
        whole: false,
        approved: new Set(),
        dryRun: false,
        asOf: null,
        now: Date.now,
        onStep: ignore,
        onStatement: ignore,
        onProgress: ignore,
        onDecided: ignore,
      });
      const { runId, recovered, problems, delivery } = result;
      Object.assign(outcome, { ok: problems.length === 0, code: problems[0]?.code ?? null, message: problems[0]?.message ?? null, runId, recovered });
      Object.assign(outcome, { claims: delivery?.claims ?? 0, accepted: delivery?.counts.accepted ?? 0, inDoubt: delivery?.counts.inDoubt ?? 0 });
    } finally {
      await warehouse.close();
    }
  } catch (error) {
    const problem = error instanceof OpportuneError ? error.problems[0] : undefined;
    outcome.code = problem?.code ?? "unexpected";
    outcome.message = problem?.message ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return { ...outcome, statements: statementsSeen(), ms: performance.now() - began };
}

process.on("message", (message: ToWorker) => {
  if (message.kind === "go") go();
  else void perform(message.job).then((outcome) => say({ kind: "done", outcome }));
});
// The test ended, however it did.
process.on("disconnect", () => process.exit(0));
say({ kind: "ready" });
