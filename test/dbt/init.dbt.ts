/** `opportune init --from-dbt` on a project that dbt-duckdb has built: every table it writes down is there, and a segment on them sends. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readDbtManifest } from "../../src/project/written/dbt-manifest.js";
import { opportune, read, sql, temporaryFolder, write } from "../commands/support.js";
import { findPython, installDbt, runDbt } from "./support.js";

const FIXTURE = join(import.meta.dirname, "../data/dbt-manifest.json");
const RAW = [
  "create schema raw",
  "create schema raw_crm",
  "create table raw.orders as select 'u1' as user_id, 'o1' as order_id, cast(now() at time zone 'UTC' as timestamp) - interval 2 hour as ordered_at, cast(now() at time zone 'UTC' as timestamp) as loaded_at",
  "create table raw.order_items as select 'o1' as order_id, cast(now() at time zone 'UTC' as timestamp) as loaded_at",
  "create table raw_crm.users as select 'u1' as user_id, 'ADA@example.com' as email, 'Ada' as first_name, 'UTC' as timezone, cast(now() at time zone 'UTC' as timestamp) as synced_at",
  "create table raw_crm.orders as select 'u1' as user_id",
];

const SEGMENT = `/*---
status: live
first_run: send
class: transactional
steps:
  - {name: thanks, channel: email, template: example}
---*/
select o.user_id, u.email, u.timezone, u.first_name, o.ordered_at as occurred_at
from {{source "shop_orders"}} o
join {{source "users"}} u on u.user_id = o.user_id
`;

const python = await findPython();
if (python === null) {
  const missing = "no Python 3.10 or later at DBT_PYTHON or python3";
  if ((process.env["CI"] ?? "") !== "") throw new Error(`npm run test:dbt: ${missing}`);
  console.log(`npm run test:dbt is skipped: ${missing}`);
}

/** What changes from run to run, and what nothing reads, left out. */
function trimmed(text: string): unknown {
  interface Manifest {
    metadata: Record<string, unknown>;
    nodes: Record<string, Record<string, unknown>>;
    sources: Record<string, Record<string, unknown>>;
  }
  const { metadata, nodes, sources } = JSON.parse(text) as Manifest;
  const { dbt_schema_version, dbt_version, adapter_type, project_name, quoting } = metadata;
  const LEFT_OUT = ["created_at", "checksum", "raw_code", "compiled_code", "build_path", "root_path"];
  const isEmpty = (value: unknown): boolean => typeof value === "object" && value !== null && Object.keys(value).length === 0;
  const lean = (group: Record<string, Record<string, unknown>>): unknown =>
    Object.fromEntries(
      Object.entries(group).map(([id, each]) => [
        id,
        Object.fromEntries(Object.entries(each).filter(([key, value]) => !LEFT_OUT.includes(key) && !isEmpty(value))),
      ]),
    );
  return { metadata: { dbt_schema_version, dbt_version, adapter_type, project_name, quoting }, nodes: lean(nodes), sources: lean(sources) };
}

describe.skipIf(python === null)("init --from-dbt", () => {
  const project = temporaryFolder();
  const manifest = join(project, "target/manifest.json");

  beforeAll(async () => {
    cpSync(join(import.meta.dirname, "project"), project, { recursive: true });
    await sql(join(project, "warehouse.duckdb"), ...RAW);
    const dbt = await installDbt(python ?? "");
    await runDbt(dbt, project, "build");
  });

  it("npm test's manifest is what this dbt writes", () => {
    const written = trimmed(readFileSync(manifest, "utf8"));
    if (process.env["UPDATE_DUMP"] === "1") writeFileSync(FIXTURE, `${JSON.stringify(written, null, 1)}\n`);
    expect(JSON.parse(readFileSync(FIXTURE, "utf8")), "run UPDATE_DUMP=1 npm run test:dbt").toEqual(written);
    expect(readDbtManifest("manifest.json", readFileSync(FIXTURE, "utf8"))).toEqual(readDbtManifest("manifest.json", readFileSync(manifest, "utf8")));
  });

  it("every table is there, and a segment on a model and a source sends", async () => {
    const begun = await opportune(project, ["init", "lifecycle", "--from-dbt", "target/manifest.json", "--path", "warehouse.duckdb"]);
    expect(begun, begun.stderr).toMatchObject({ code: 0, stderr: "" });
    const root = join(project, "lifecycle");
    expect((await opportune(root, ["ledger", "install"])).code).toBe(0);
    const sources = Object.keys(Object.fromEntries(readDbtManifest("manifest.json", read(project, "target/manifest.json")).sources));
    // What nothing uses is not asked for.
    const rows = sources.map(
      (name) => `select 'u1' as user_id, 'u1@example.com' as email, 'Ada' as first_name, {{as_of}} as occurred_at from {{source "${name}"}}`,
    );
    write(root, { "segments/each.sql": `/*---\nstatus: draft\nchannel: email\ntemplate: example\n---*/\n${rows.join("\nunion all\n")}\n` });
    const debug = await opportune(root, ["debug"]);
    expect(debug.code, debug.stdout).toBe(0);
    expect(debug.stdout.match(/^OK +source \w+/gm)).toHaveLength(sources.length);
    write(root, { "segments/thanks.sql": SEGMENT });
    const run = await opportune(root, ["run"]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/CLAIMED=1 .*ACCEPTED=1/);
  });
});
