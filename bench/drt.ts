/** `drt run`, where it is installed: another tool that posts rows of a warehouse, beside which delivery is told. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { figure, type Figure } from "./figures.js";
import { SUBJECT } from "./project.js";
import type { Idle } from "./idle.js";

const LONGEST_MS = 600_000;

/** Messages a second of whole processes; `ours`: Opportune's, in the same run. Null, with a line that says so, where there is no drt. */
export async function drt({ root, store, sink, runs }: Idle, candidates: number, ours: number, say: (line: string) => void): Promise<Figure[]> {
  if (spawnSync("drt", ["--version"], { timeout: 60_000 }).status !== 0) {
    say(`${store.kind}: drt is not installed, so it is left out (bench/README.md says how to install it)`);
    return [];
  }
  const folder = join(root, "drt");
  mkdirSync(join(folder, "syncs"), { recursive: true });
  mkdirSync(join(folder, ".drt"), { recursive: true });
  const { connection } = store;
  const profile =
    connection.type === "duckdb"
      ? { type: "duckdb", database: connection.path }
      : { type: "postgres", host: connection.host, port: connection.port, dbname: connection.database, user: connection.user, password_env: "BENCH_PASSWORD" };
  // Its files are YAML, of which JSON is a part.
  const write = (file: string, content: unknown): void => writeFileSync(join(folder, file), JSON.stringify(content));
  write(".drt/profiles.yml", { bench: profile });
  write("drt_project.yml", { name: "bench", profile: "bench" });
  const subject = SUBJECT.replaceAll(/\{\{(\w+)\}\}/g, "{{ row.$1 }}");
  write("syncs/mails.yml", {
    name: "mails",
    model: `select b.user_id, u.email, u.first_name, u.city from behaviours b join users u on u.user_id = b.user_id order by b.segment, b.user_id limit ${String(candidates)}`,
    destination: {
      type: "rest_api",
      url: `${sink.endpoint}/v3/mail/send`,
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: "Bearer SG.bench" },
      body_template: `{"personalizations": [{"to": [{"email": "{{ row.email }}"}]}], "from": {"email": "bench@example.com"}, "subject": "${subject}", "content": [{"type": "text/html", "value": "<p>Hello {{ row.first_name }}</p>"}]}`,
    },
    sync: { mode: "full", batch_size: 1000, rate_limit: { requests_per_second: 1_000_000 }, on_error: "fail" },
  });
  const rates: number[] = [];
  for (let i = 0; i < runs; i++) {
    const before = await sink.received();
    const started = performance.now();
    const { status, stdout, stderr } = spawnSync("drt", ["run"], {
      cwd: folder,
      env: { ...process.env, HOME: folder, BENCH_PASSWORD: connection.type === "postgres" ? (connection.password ?? "") : "" },
      encoding: "utf8",
      timeout: LONGEST_MS,
    });
    const seconds = (performance.now() - started) / 1000;
    const received = (await sink.received()) - before;
    if (status !== 0 || received === 0) {
      say(`${store.kind}: drt ended with ${String(status)} after ${String(received)} messages, so it is left out: ${`${stdout}${stderr}`.slice(-400)}`);
      return [];
    }
    rates.push(received / seconds);
  }
  rmSync(folder, { recursive: true, force: true });
  return [
    figure(store.kind, `drt run, ${String(candidates)} rows`, "messages/s", rates, loadavg()[0] ?? NaN, {
      limit: { what: "Opportune, whole run", values: rates.map(() => ours) },
    }),
  ];
}
