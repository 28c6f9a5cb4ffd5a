import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { instant } from "../../core/clock.js";
import { OpportuneError } from "../../core/errors.js";
import { anyChannel, providedBy, providerFor, sandboxChannels } from "../../delivery/providers/registry.js";
import { Ledger } from "../../ledger/ledger.js";
import { loadProject } from "../../project/build/load.js";
import type { Channel, Project } from "../../project/types.js";
import { runSummary } from "../../report/run-summary.js";
import { count } from "../../report/tables.js";
import { run } from "../../run/run.js";
import type { RunOptions, RunResult } from "../../run/types.js";
import { startSandbox, type Sandbox } from "../../server/sandbox/sandbox.js";
import { openWarehouse } from "../shared/context.js";
import { thingsToLookAt, whatWaited } from "./looks.js";
import { narrated, schedule } from "../run.js";
import { copyShipped, createSample, SHIPPED } from "../shared/sample.js";
import type { GlobalOptions, Terminal } from "../shared/terminal.js";

/** Where the demo keeps what it made, below the current folder; the next demo replaces it. */
const FOLDER = "target/opportune-demo";

/** The first run's time (ISO 8601 UTC): early enough that steps fall due by noon that count from the backfill. */
const SUNDAY = "2026-03-01T16:00:00Z";

/** The demo's own time (ISO 8601 UTC), so that it tells the same story whenever it is run. */
const NOON = "2026-03-02T12:00:00Z";

/** Half past ten in the evening, when Sydney wakes up. */
const EVENING = "2026-03-02T22:30:00Z";

/** Columns at most: its output is in the README. */
const WIDTH = 100;

/** The shipped segments at work on the sample warehouse, delivered to a sandbox on this machine. */
export async function demoCommand(terminal: Terminal, _options: GlobalOptions): Promise<number> {
  const root = newFolder();
  let time = clockFrom(NOON);
  const sandbox = await startSandbox({ port: 0, now: () => time() });
  try {
    copyShipped(root);
    const project = intoSandbox(loadProject(root, { env: {} }), sandbox);
    await createSample(project, NOON);
    await fixSalt(project, terminal);
    const title = (text: string): void => terminal.out(`\n${terminal.outPaint.bold(text)}`);
    const decide = (at: string, how: How = {}): Promise<RunResult> => {
      time = clockFrom(at);
      return runOnce(terminal, project, time, at, how);
    };
    const summary = (result: RunResult): string[] =>
      runSummary(result, {
        paint: terminal.outPaint,
        width: Math.min(terminal.width, WIDTH),
        stopped: false,
        maxPerRun: project.policy.maxPerRun,
        period: schedule(project),
        target: project.target,
      });

    terminal.out(await introduction(project, terminal));
    title("Sunday 1 March 2026, 16:00 UTC: the first run. Those who qualify already are baseline, and hear nothing.");
    const first = await decide(SUNDAY);
    terminal.out(fromBaseline(summary(first)).join("\n"));
    title("The demo lifts the baseline, by --backfill of every segment: their steps count from now.");
    const backfill = await decide(SUNDAY, { backfill: true });
    terminal.out(summary(backfill).slice(-3).join("\n"));
    title("Monday 2 March 2026, 12:00 UTC.");
    const noon = await decide(NOON, { loud: true });
    terminal.out(`\n${summary(noon).join("\n")}`);
    title("The same minute again: nobody hears twice.");
    const again = await decide(NOON);
    terminal.out(summary(again).slice(-3).join("\n"));
    title("Half past ten in the evening: it is day in Sydney, and what waited goes out.");
    const evening = await decide(EVENING);
    terminal.out(summary(evening).join("\n"));
    terminal.out(await withLedgerOf(project, terminal, (ledger) => whatWaited(ledger, NOON, EVENING)));
    title("Three things to look at");
    terminal.out(await withLedgerOf(project, terminal, (ledger) => thingsToLookAt(project, ledger, sandbox.messages(), FOLDER)));
    return [first, backfill, noon, again, evening].every(({ problems }) => problems.length === 0) ? 0 : 1;
  } finally {
    await sandbox.close();
  }
}

/** A summary from what became baseline on. */
function fromBaseline(summary: readonly string[]): readonly string[] {
  return summary.slice(summary.findIndex((line) => line.startsWith("First run of ")));
}

/** An empty folder in place of what an earlier demo left. @throws OpportuneError (exit 2) where something else is there */
function newFolder(): string {
  const root = resolve(FOLDER);
  if (existsSync(root) && readdirSync(root).length > 0 && !existsSync(join(root, SHIPPED[0] ?? ""))) {
    throw new OpportuneError(
      {
        code: "demo/exists",
        message: `${FOLDER} holds something that no demo left there.`,
        hint: "Nothing was changed. Move it away, or run the demo in another folder.",
      },
      2,
    );
  }
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  return root;
}

async function introduction(project: Project, terminal: Terminal): Promise<string> {
  const sizes = await withLedgerOf(project, terminal, ({ warehouse }) =>
    warehouse.query({ sql: "select (select count(*) from users) as users, (select count(*) from events) as events", params: [] }),
  );
  const [users, events] = [Number(sizes[0]?.["users"]), Number(sizes[0]?.["events"])];
  return `Plainfold, an invented company: a planner app and a shop for paper goods, in ${project.target.connection.type}.
${count(users)} users, ${count(events)} events, ${count(project.segments.size)} segments. Its emails go to a ${providerFor("email").title} on this machine that sends nothing.`;
}

/** A clock that shows `start` (ISO 8601 UTC) now and goes on from there; ms since 1970 UTC. */
function clockFrom(start: string): () => number {
  const began = performance.now();
  return () => Date.parse(start) + Math.floor(performance.now() - began);
}

/** The project with every channel of a mail provider or outbox delivering to the sandbox, its mails with the way out that real ones have. */
function intoSandbox(project: Project, sandbox: Sandbox): Project {
  const inSandbox = sandboxChannels(sandbox.url);
  const redirected = (channel: Channel): Channel => ({ ...channel, ...providedBy(anyChannel.parse(inSandbox.get(channel.type))) });
  const channels = new Map([...project.channels].map(([name, channel]) => [name, redirected(channel)]));
  return { ...project, channels, links: { ...project.links, unsubscribeUrl: "https://plainfold.example/unsubscribe", unsubscribeSecret: "demo" } };
}

/** Buckets and message ids come from the salt: with a fixed one the same users are held out each time. */
async function fixSalt(project: Project, terminal: Terminal): Promise<void> {
  await withLedgerOf(project, terminal, (ledger) => ledger.execute(ledger.tables.updateTable("meta").set({ content: "demo" }).where("name", "=", "salt")));
}

interface How {
  /** Tell of each segment on stderr, as `run` does; of audiences, only what goes wrong. */
  loud?: boolean;
  /** Lift the baseline of every segment. */
  backfill?: boolean;
}

async function runOnce(terminal: Terminal, project: Project, now: () => number, asOf: string, { loud = false, backfill = false }: How): Promise<RunResult> {
  const segments = [...project.segments.values()].filter(({ status }) => status !== "draft");
  const { onStep, onDecided } = narrated(terminal);
  const told: Pick<RunOptions, "onStep" | "onDecided"> = {
    onStep: (step) => (step.problem !== undefined || (loud && step.kind === "segment") ? onStep(step) : undefined),
    onDecided: (decisions) => (loud ? onDecided(decisions) : undefined),
  };
  return withLedgerOf(project, terminal, ({ warehouse }) =>
    run(project, warehouse, {
      ...told,
      // Tells how far it is once a second, which would differ from one demo to the next.
      onProgress: () => undefined,
      segments,
      whole: true,
      approved: new Set(),
      backfill: new Set(backfill ? segments.map(({ id }) => id) : []),
      dryRun: false,
      asOf: instant(Date.parse(asOf)),
      now,
      onStatement: () => undefined,
    }),
  );
}

/** Opened for each step and closed after it, as the job does, so that analysts can read in between. */
async function withLedgerOf<T>(project: Project, terminal: Terminal, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const warehouse = await openWarehouse(project.root, project.target, terminal);
  try {
    return await work(new Ledger(warehouse, project.target.schema));
  } finally {
    await warehouse.close();
  }
}
