import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { instant } from "../core/clock.js";
import { ledgerQueries, statement } from "../ledger/tables.js";
import { loadProject } from "../project/load.js";
import type { Channel, Project } from "../project/types.js";
import { runSummary } from "../report/run-summary.js";
import { counted, table } from "../report/tables.js";
import { run } from "../run.js";
import { startSandbox, type Sandbox } from "../server/sandbox.js";
import type { Warehouse } from "../warehouse/types.js";
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
  { title: "Half past ten in the evening: the day begins in Sydney, and who was held back for the night hears from us.", minutes: 630 },
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
    await fixSalt(project, terminal);
    terminal.out(
      `A small shop with ${counted(project.segments.size, "segment")}, on ${project.target.connection.type}; its mail goes to a SendGrid on this machine that sends nothing.`,
    );
    let problems = 0;
    for (const { title, minutes } of RUNS) {
      time = clockFrom(instant(Date.parse(NOON) + minutes * 60_000));
      terminal.out(`\n${terminal.outPaint.bold(title)}`);
      problems += await runOnce(terminal, project, time);
    }
    terminal.out(`\n${terminal.outPaint.bold(`At the sandbox: ${counted(sandbox.stats().accepted, "mail")}, among them`)}\n${someMails(sandbox, terminal)}`);
    const user = await mostTold(project, terminal);
    terminal.out(`\n${terminal.outPaint.bold(`One user's story: opportune explain ${user}`)}`);
    await explainCommand(terminal, { color: options.color, projectDir: root, limit: "20", output: "text" }, [user]);
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

/** Buckets and message ids come from the salt: with a fixed one the same users are held out each time. */
async function fixSalt(project: Project, terminal: Terminal): Promise<void> {
  const query = ledgerQueries(project.target.schema).updateTable("meta").set({ content: "demo" }).where("name", "=", "salt");
  await withWarehouseOf(project, terminal, (warehouse) => warehouse.execute(statement(query)));
}

async function runOnce(terminal: Terminal, project: Project, now: () => number): Promise<number> {
  const result = await withWarehouseOf(project, terminal, (warehouse) =>
    run(project, warehouse, {
      segments: [...project.segments.values()],
      approved: new Set(),
      backfill: new Set(),
      dryRun: false,
      asOf: instant(Math.floor(now() / 1000) * 1000),
      now,
      onStep: () => undefined,
      onStatement: () => undefined,
      onProgress: () => undefined,
      onDecided: () => undefined,
    }),
  );
  terminal.out(runSummary(result, { paint: terminal.outPaint, width: terminal.width, stopped: false, maxPerRun: project.policy.maxPerRun }).join("\n"));
  return result.problems.length;
}

/** Opened for each step and closed after it, as the job does, so that analysts can read in between. */
async function withWarehouseOf<T>(project: Project, terminal: Terminal, work: (warehouse: Warehouse) => Promise<T>): Promise<T> {
  const warehouse = await openWarehouse(project.root, project.target, terminal);
  try {
    return await work(warehouse);
  } finally {
    await warehouse.close();
  }
}

function someMails(sandbox: Sandbox, terminal: Terminal): string {
  const mails = sandbox.messages().map(({ body }) => body as { subject?: string; personalizations: { to: { email: string }[]; subject?: string }[] });
  const rows = mails.map(({ personalizations: [to], subject }) => [to?.to[0]?.email ?? "", to?.subject ?? subject ?? ""]);
  return table(["to", "subject"], rows.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1)).slice(0, LISTED), terminal.outPaint);
}

/** A user who heard from us, with the most different answers in the ledger. */
async function mostTold(project: Project, terminal: Terminal): Promise<string> {
  return withWarehouseOf(project, terminal, async (warehouse) => {
    const ledger = `${warehouse.dialect.quote(project.target.schema)}.sent_ledger`;
    const sql = `select user_id from ${ledger} group by user_id
      order by max(case event when 'accepted' then 1 else 0 end) desc, max(case event when 'waiting' then 1 else 0 end) desc, count(distinct reason) desc, user_id limit 1`;
    const [user] = await warehouse.query({ sql, params: [] });
    return String(user?.["user_id"]);
  });
}
