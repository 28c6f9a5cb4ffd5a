/** Both grammars bite: a fault of each kind, put into a statement of the job, is refused with the file and line that it was written in. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Dialect } from "../../src/warehouse/dialect.js";
import { bigQueryDialect } from "../../src/warehouse/bigquery/dialect.js";
import { snowflakeDialect } from "../../src/warehouse/snowflake/dialect.js";
import { Binder, renderSqlFile, statementsOf } from "../../src/warehouse/sql.js";
import type { Script } from "../../src/warehouse/types.js";
import { Gate } from "./gate.js";
import { startGoogleSql, type GoogleSql } from "./googlesql.js";
import type { Grammar } from "./grammar.js";
import { installedGrammars } from "./install.js";
import { loadSnowflakeSql } from "./snowflake-sql.js";

const folder = installedGrammars();
const NONE = new Map<string, never>();
const HEARD = /^sql\/heard\.sql:\d+ \(asked by src\/here\.ts:1\): /;

/** What is replaced in sql/heard.sql, with what, and what each grammar says: null where it is no fault there. */
const FAULTS: readonly { fault: string; from: string; to: string; bigQuery: RegExp; snowflake: RegExp | null }[] = [
  {
    fault: "DuckDB's and Postgres' cast, which Snowflake has too",
    from: "max(l.channel)",
    to: "max(l.channel)::varchar",
    bigQuery: /Syntax error.* ":"/,
    snowflake: null,
  },
  {
    fault: "a table of values, which Snowflake has too",
    from: "where",
    to: "join (values (1), (2)) v on true where",
    bigQuery: /Syntax error/,
    snowflake: null,
  },
  {
    fault: "a filtered aggregate",
    from: "max(l.channel)",
    to: "max(l.channel) filter (where true)",
    bigQuery: /but got "\("/,
    snowflake: /take no FILTER/,
  },
  {
    fault: "a column that no table has",
    from: "max(l.channel)",
    to: "max(l.chanel)",
    bigQuery: /Name chanel not found inside l/,
    snowflake: /Unknown column '(?:l\.)?chanel'/,
  },
  { fault: "a table that nobody makes", from: "sent_ledger", to: "sent_letter", bigQuery: /Table not found/, snowflake: /Unknown table/ },
  {
    fault: "a number where text is wanted, as types are not asked of Snowflake",
    from: "max(l.channel)",
    to: "lower(max(l.counts))",
    bigQuery: /No matching signature for function LOWER/,
    snowflake: null,
  },
  { fault: "a word too many", from: "where", to: "where where", bigQuery: /Unexpected keyword WHERE/, snowflake: /Parse error/ },
];

describe.skipIf(folder === null)("the grammars", () => {
  let googleSql: GoogleSql | undefined;
  let grammars: { bigQuery: Grammar; snowflake: Grammar };
  beforeAll(async () => {
    googleSql = await startGoogleSql(folder ?? "");
    grammars = { bigQuery: googleSql, snowflake: await loadSnowflakeSql(folder ?? "") };
  });
  afterAll(() => googleSql?.stop());

  /** A gate that knows the ledger's tables, and has been asked sql/heard.sql with a fault in it. */
  async function asked(dialect: Dialect, grammar: Grammar, from: string, to: string): Promise<Gate> {
    const gate = new Gate(dialect, grammar);
    const ask = (sql: string, params: readonly string[] = []): Promise<void> => gate.check({ sql, params, origin: "src/here.ts:1" }, "", NONE);
    for (const sql of statementsOf(renderSqlFile("ledger/001_ledger.sql", dialect, "opportune", { types: dialect.columnTypes }).sql)) await ask(sql);
    expect(gate.report()).toEqual([]);
    const binder = new Binder(dialect);
    const { sql, params } = renderSqlFile("heard.sql", dialect, "opportune", { user_id: binder.bind("u1"), kind: "1 = 1" }, binder);
    const faulty = sql.replace(dialect === snowflakeDialect && from === "sent_ledger" ? from.toUpperCase() : from, to);
    expect(faulty).not.toBe(sql);
    await ask(faulty, params as string[]);
    return gate;
  }

  it.for(FAULTS)("GoogleSQL's analyzer refuses $fault", async ({ from, to, bigQuery }) => {
    const report = (await asked(bigQueryDialect("shop"), grammars.bigQuery, from, to)).report();
    expect(report).toEqual([expect.stringMatching(HEARD)]);
    expect(report[0]).toMatch(bigQuery);
  });

  it.for<[string, Script, RegExp]>([
    [
      "a statement that ends the block around it",
      { statements: [{ sql: "delete from t where true; end", params: [] }] },
      /Syntax error: Expected end of input/,
    ],
    [
      "rows for a column that the table lacks",
      { fill: { table: "t", columns: [{ name: "b", kind: "text", values: ["x"] }] }, statements: [] },
      /Column b is not present in table t/,
    ],
  ])("GoogleSQL's analyzer refuses, in a script, %s", async ([, script, message]) => {
    const gate = new Gate(bigQueryDialect("shop"), grammars.bigQuery);
    await gate.check({ sql: "create temp table t (a string)", params: [], origin: "src/here.ts:1" }, "", NONE);
    await gate.checkScript(script, "src/here.ts:2", "", NONE);
    const report = gate.report();
    expect(report).toEqual([expect.stringMatching(/src\/here\.ts:2/)]);
    expect(report[0]).toMatch(message);
  });

  it.for(FAULTS)("the parser of Snowflake's SQL knows $fault", async ({ from, to, snowflake }) => {
    const report = (await asked(snowflakeDialect, grammars.snowflake, from, to)).report();
    expect(report).toEqual(snowflake === null ? [] : [expect.stringMatching(HEARD)]);
    if (snowflake !== null) expect(report[0]).toMatch(snowflake);
  });
});
