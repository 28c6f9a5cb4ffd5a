import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { instant } from "../core/clock.js";
import { loadProject } from "../project/load.js";
import type { Channel, Project } from "../project/types.js";
import { runSummary } from "../report/run-summary.js";
import { counted, table } from "../report/tables.js";
import { run } from "../run.js";
import { startSandbox, type Sandbox } from "../server/sandbox.js";
import { openWarehouse } from "./context.js";
import { explainCommand } from "./explain.js";
import { copyShipped, createSample } from "./sample.js";
import type { GlobalOptions, Terminal } from "./terminal.js";

/** The demo's own time (ISO 8601 UTC), so that it tells the same story whenever it is run. */
const NOON = "2026-03-02T12:00:00Z";

/** When the job runs, minutes after NOON. */
const RUNS = [
  { title: "Monday, noon: the first run.", minutes: 0 },
  { title: "Five minutes later: nobody hears twice.", minutes: 5 },
  { title: "Tuesday, noon: reminders for the carts that are still left.", minutes: 24 * 60 },
] as const;

/** How many of the mails at the sandbox are listed. */
const LISTED = 5;

/** The shipped example on a generated warehouse, delivered to a sandbox on this machine; leaves nothing behind. */
export async function demoCommand(terminal: Terminal, options: GlobalOptions): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), "opportune-demo-"));
  let time = clockFrom(NOON);
  const sandbox = await startSandbox({ port: 0, now: () => time() });
  try {
    copyShipped(root);
    const project = intoSandbox(loadProject(root, { env: {} }), sandbox);
    await createSample(project, NOON);
    terminal.out(`A small shop with ${counted(project.segments.size, "segment")}, on ${project.target.connection.type}; its mail goes to a SendGrid on this machine that sends nothing.`);
    let problems = 0;
    for (const { title, minutes } of RUNS) {
      time = clockFrom(instant(Date.parse(NOON) + minutes * 60_000));
      terminal.out(`\n${terminal.outPaint.bold(title)}`);
      problems += await runOnce(terminal, project, time);
    }
    terminal.out(`\n${terminal.outPaint.bold(`At the sandbox: ${counted(sandbox.stats().accepted, "mail")}, the newest of them`)}\n${newestMails(sandbox, terminal)}`);
    const user = await mostTold(project, terminal);
    terminal.out(`\n${terminal.outPaint.bold(`One user's story: opportune explain ${user}`)}`);
    await explainCommand(terminal, { ...options, projectDir: root, limit: "20", output: "text" }, [user]);
    return problems === 0 ? 0 : 1;
  } finally {
    await sandbox.close();
    rmSync(root, { recursive: true, force: true });
  }
}

/** A clock that shows `start` (ISO 8601 UTC) now and goes on from there; ms since 1970 UTC. */
function clockFrom(start: string): () => number {
  const began = performance.now();
  return () => Date.parse(start) + Math.floor(performance.now() - began);
}

/** The project with every channel of a mail provider or outbox delivering to the sandbox. */
function intoSandbox(project: Project, sandbox: Sandbox): Project {
  const redirected = (channel: Channel): Channel => ({ ...channel, provider: "sendgrid", apiKey: "SG.demo", endpoint: sandbox.url });
  return { ...project, channels: new Map([...project.channels].map(([name, channel]) => [name, redirected(channel)])) };
}

async function runOnce(terminal: Terminal, project: Project, now: () => number): Promise<number> {
  const warehouse = await openWarehouse(project.root, project.target, terminal);
  try {
    const result = await run(project, warehouse, {
      segments: [...project.segments.values()],
      backfill: new Set(),
      dryRun: false,
      asOf: instant(Math.floor(now() / 1000) * 1000),
      now,
      onStep: () => undefined,
      onStatement: () => undefined,
      onProgress: () => undefined,
      onDecided: () => undefined,
    });
    terminal.out(runSummary(result, { paint: terminal.outPaint, width: terminal.width, stopped: false, maxPerRun: project.policy.maxPerRun }).join("\n"));
    return result.problems.length;
  } finally {
    await warehouse.close();
  }
}

function newestMails(sandbox: Sandbox, terminal: Terminal): string {
  const mails = sandbox.messages({ limit: LISTED }).map(({ body }) => body as { subject?: string; personalizations: { to: { email: string }[]; subject?: string }[] });
  const rows = mails.map(({ personalizations: [to], subject }) => [to?.to[0]?.email ?? "", to?.subject ?? subject ?? ""]);
  return table(["to", "subject"], rows.sort(), terminal.outPaint);
}

/** The user with the most different answers in the ledger. */
async function mostTold(project: Project, terminal: Terminal): Promise<string> {
  const warehouse = await openWarehouse(project.root, project.target, terminal);
  try {
    const ledger = `${warehouse.dialect.quote(project.target.schema)}.sent_ledger`;
    const [user] = await warehouse.query({ sql: `select user_id from ${ledger} group by user_id order by count(distinct reason) desc, count(*) desc, user_id limit 1`, params: [] });
    return String(user?.["user_id"]);
  } finally {
    await warehouse.close();
  }
}
