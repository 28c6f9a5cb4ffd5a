/**
 * The script that a user would write instead: for each candidate it asks the ledger, renders with Handlebars, posts with fetch and
 * inserts a row, 16 candidates at once. A process of its own; prints what it did as JSON.
 *
 * It has it easy: no lease, no claim before the post, no caps, quiet hours, goals or exclusions, and a narrow ledger with an index
 * on its users (DuckDB looks a key up only in an index of one column).
 */
import { DuckDBInstance } from "@duckdb/node-api";
import Handlebars from "handlebars";
import { Pool } from "pg";
import { MAIL, SEGMENTS, SUBJECT } from "./project.js";
import { rateOf } from "./provider.js";
import type { Store } from "./store.js";

const AT_ONCE = 16;

export interface ScriptOptions {
  connection: Store["connection"];
  endpoint: string;
  /** Candidates to go through, the same number of each segment. */
  candidates: number;
}

export interface ScriptResult {
  candidates: number;
  messages: number;
  seconds: number;
}

interface Candidate {
  segment: number;
  user_id: string;
  email: string;
  first_name: string;
  city: string;
  total: string;
}

interface Database {
  query(sql: string, params: readonly (string | number)[]): Promise<unknown[]>;
  close(): Promise<void>;
}

async function open({ connection }: ScriptOptions): Promise<Database> {
  if (connection.type === "postgres") {
    const { host, port, user, password, database } = connection;
    const pool = new Pool({ host, port, user: user ?? "", password: password ?? "", database: database ?? "", max: AT_ONCE });
    return { query: async (sql, params) => (await pool.query<Record<string, unknown>>(sql, [...params])).rows, close: () => pool.end() };
  }
  const instance = await DuckDBInstance.fromCache(connection.path, { threads: String(connection.threads ?? 2) });
  const connections = await Promise.all(Array.from({ length: AT_ONCE }, () => instance.connect()));
  return {
    async query(sql, params) {
      const free = connections.pop() ?? (await instance.connect());
      const reader = await free.runAndReadAll(sql, [...params]);
      connections.push(free);
      return reader.getRowObjectsJson();
    },
    close() {
      for (const one of connections) one.closeSync();
      instance.closeSync();
      return Promise.resolve();
    },
  };
}

async function work(options: ScriptOptions): Promise<ScriptResult> {
  const database = await open(options);
  Handlebars.registerHelper("money", (amount: string, currency: string) => new Intl.NumberFormat("en", { style: "currency", currency }).format(Number(amount)));
  Handlebars.registerHelper("url", (value: string) => encodeURIComponent(value));
  const [subject, html] = [Handlebars.compile(SUBJECT, { noEscape: true }), Handlebars.compile(MAIL)];
  const each = Math.max(1, Math.floor(options.candidates / SEGMENTS));
  const candidates = (await database.query(
    `select b.segment, b.user_id, u.email, u.first_name, u.city, cast(b.total as varchar) as total
    from (select behaviours.*, row_number() over (partition by segment order by user_id) as n from behaviours) b join users u on u.user_id = b.user_id
    where n <= ${String(each)}`,
    [],
  )) as Candidate[];
  let messages = 0;
  const rate = await rateOf(candidates.length, AT_ONCE, async (i) => {
    const candidate = candidates[i];
    if (candidate === undefined) return;
    const { segment, user_id, email } = candidate;
    const name = `segment_${String(segment)}`;
    const before = await database.query("select 1 from script_ledger where segment = $1 and user_id = $2 limit 1", [name, user_id]);
    if (before.length > 0) return;
    const answer = await fetch(`${options.endpoint}/v3/mail/send`, {
      method: "POST",
      headers: { authorization: "Bearer SG.bench", "content-type": "application/json" },
      body: JSON.stringify({
        personalizations: [{ to: [{ email }] }],
        from: { email: "bench@example.com", name: "Bench" },
        subject: subject(candidate),
        content: [{ type: "text/html", value: html(candidate) }],
      }),
    });
    await answer.arrayBuffer();
    if (!answer.ok) return;
    await database.query("insert into script_ledger (segment, user_id) values ($1, $2)", [name, user_id]);
    messages += 1;
  });
  await database.close();
  return { candidates: candidates.length, messages, seconds: candidates.length / rate };
}

process.on("disconnect", () => process.exit(0));
process.once("message", (options: ScriptOptions) => {
  void work(options).then((result) => process.send?.(result));
});
