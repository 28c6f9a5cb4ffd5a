/** The chapters of sql/arbitrate/, and how they are put together: one statement, or one for each table that is kept. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { arbitrationStatements, CHAPTERS, EXPLAINING } from "../../src/arbitration/arbitrate.js";
import { REASONS } from "../../src/arbitration/reasons.js";
import { bigQueryDialect } from "../../src/warehouse/bigquery/dialect.js";
import { scriptText } from "../../src/warehouse/bigquery/script.js";
import { duckdbDialect } from "../../src/warehouse/duckdb/dialect.js";
import { withoutOpening, withOwnWorkTables, type Dialect } from "../../src/warehouse/dialect.js";
import { postgresDialect } from "../../src/warehouse/postgres/dialect.js";
import { snowflakeDialect } from "../../src/warehouse/snowflake/dialect.js";
import { projectWith } from "../segments/support.js";
import { arbitrationOf } from "./support.js";

const SQL = join(import.meta.dirname, "../../sql");
const ARBITRATION = arbitrationOf(projectWith("select user_id, email, occurred_at from carts"));

function statementsOf(dialect: Dialect, whole?: boolean): ReturnType<typeof arbitrationStatements> {
  return arbitrationStatements(ARBITRATION, () => "1", dialect, whole);
}

describe("the files", () => {
  it("are the chapters, and one for each reason that stops a candidate", () => {
    const files = readdirSync(join(SQL, "arbitrate"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".sql"));
    expect(files.map((file) => `arbitrate/${file}`).sort()).toEqual([...CHAPTERS, EXPLAINING].sort());
    const stopping = REASONS.filter(({ name, place }) => place !== null && name !== "claimed").map(({ name }) => `arbitrate/reasons/${name}.sql`);
    expect(CHAPTERS.filter((file) => file.includes("/reasons/")).sort()).toEqual(stopping.sort());
  });

  it.each([...CHAPTERS, EXPLAINING])("%s says first what it reads and what it gives, and has at most 250 lines", (file) => {
    const text = readFileSync(join(SQL, file), "utf8");
    expect(text).toMatch(/^-- Reads: [^\n]+\.\n-- Gives: [^\n]+\.\n\n\{\{#table "/);
    expect(text.split("\n").length).toBeLessThanOrEqual(251);
  });
});

describe("the statements", () => {
  it.each([duckdbDialect, postgresDialect, bigQueryDialect(null)])("on $name make each kept table once, before it is read", (dialect) => {
    const { tables, write } = statementsOf(dialect);
    const made = new Set<string>();
    for (const { sql } of [...tables, write]) {
      const name = /^create (?:or replace )?(?:temp(?:orary)? )?table (\S+)/.exec(sql)?.[1]?.replace("pg_temp.", "");
      const read = [...sql.matchAll(/\b(?:from|join) (?:pg_temp\.)?((?:opportune_work\.|opportune_)\w+)/g)].map(([, table = ""]) => table);
      expect(read.filter((table) => !made.has(table) && !/(?:segment_rows|audience_members)$/.test(table))).toEqual([]);
      if (name !== undefined) made.add(name);
    }
    expect(made.size).toBeGreaterThan(5);
  });

  it("are one on Snowflake, where each costs: the same queries, none of them a table", () => {
    const { tables, write } = statementsOf(snowflakeDialect);
    expect(tables).toEqual([]);
    expect(
      [...write.sql.matchAll(/opportune_\w+/g)].map(([table]) => table).filter((table) => !/(?:segment_rows|audience_members|decisions)$/.test(table)),
    ).toEqual([]);
    for (const file of CHAPTERS) expect(write.sql, file).toContain(`-- ${file}\n-- Reads: `);
  });

  it("bind what they name, and nothing else", () => {
    const { tables, write, drops } = arbitrationStatements({ ...ARBITRATION, salt: "it's" }, () => "1", duckdbDialect);
    const all = [...tables, write, ...drops];
    expect(all.flatMap(({ params }) => params)).toContain("it's");
    for (const { sql, params } of all) expect(new Set(sql.match(/\$\d+/g)).size, sql.slice(0, 80)).toBe(params.length);
  });

  it("show nothing of the opening that made the tables", () => {
    const { tables, write } = statementsOf(withOwnWorkTables(duckdbDialect, "0123456789ab"));
    expect(tables[0]?.sql).toContain("0123456789ab");
    for (const { sql } of [...tables, write]) expect(withoutOpening(sql)).not.toContain("0123456789ab");
  });
});

describe("BigQuery, which works a CTE out anew for each that reads it", () => {
  it("gets no statement that is worked out as more than 150 subqueries", () => {
    const dialect = bigQueryDialect(null);
    expect(subqueries(statementsOf(dialect, true).write.sql)).toBeGreaterThan(1_000);
    const { tables, write } = statementsOf(dialect);
    expect(Math.max(...[...tables, write].map(({ sql }) => subqueries(sql)))).toBeLessThan(150);
  });

  it("has room for a hundred segments of four steps in the text of the script, and no SELECT for each", () => {
    const steps = ["one", "two", "three", "four"].map((name, i) => `{name: ${name}, after: ${String(i + 1)} days, channel: email, template: cart}`);
    const one = arbitrationOf(projectWith("select user_id, email, occurred_at from carts", `steps: [${steps.join(", ")}]`));
    const many = { ...one, segments: Array.from({ length: 100 }, () => one.segments[0]).filter((segment) => segment !== undefined) };
    const { tables, write } = arbitrationStatements(many, () => "1", bigQueryDialect(null));
    const { sql } = scriptText({ work: tables, statements: [write] });
    // https://cloud.google.com/bigquery/quotas#query_jobs
    expect(sql.length).toBeLessThan(1_000_000);
    expect(sql.length).toBeGreaterThan(100_000);
    expect(sql.match(/union all/g)?.length).toBeLessThan(60);
  });
});

/** How many SELECTs of CTEs a statement is, each written out wherever it is read. */
function subqueries(sql: string): number {
  const ctes = new Map(Array.from(sql.matchAll(/^(\w+) as \(\n(.*?)^\),?$/gms), ([, name = "", body = ""]) => [name, body]));
  const sizes = new Map<string, number>();
  const readBy = (text: string): number =>
    [...text.matchAll(/\b(?:from|join) (\w+)\b/g)].reduce((sum, [, name = ""]) => {
      const body = ctes.get(name);
      if (body === undefined) return sum;
      if (!sizes.has(name)) sizes.set(name, 1 + readBy(body));
      return sum + (sizes.get(name) ?? 0);
    }, 0);
  return readBy(sql.slice(sql.lastIndexOf("\n)\n")));
}
