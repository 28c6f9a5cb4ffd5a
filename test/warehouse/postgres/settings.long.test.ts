import { appendFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgres } from "../../../src/warehouse/postgres/warehouse.js";
import { difference, SettingsBench, type Story } from "../../support/postgres-settings.js";

/** What a role, a database or a server may say, each by itself. TABLE=FILE writes the table. */
const HARMLESS: readonly (readonly [setting: string, value: string])[] = [
  ["DateStyle", "SQL, DMY"],
  ["DateStyle", "German"],
  ["DateStyle", "Postgres, MDY"],
  ["IntervalStyle", "iso_8601"],
  ["IntervalStyle", "postgres_verbose"],
  ["TimeZone", "America/New_York"],
  ["extra_float_digits", "-15"],
  ["bytea_output", "escape"],
  ["xmloption", "document"],
  ["xmlbinary", "hex"],
  ["array_nulls", "off"],
  ["client_encoding", "LATIN1"],
  ["standard_conforming_strings", "off"],
  ["backslash_quote", "off"],
  ["escape_string_warning", "off"],
  ["quote_all_identifiers", "on"],
  ["transform_null_equals", "on"],
  ["search_path", "public, pg_catalog"],
  ["search_path", 'nowhere, "$user", public'],
  ["restrict_nonsystem_relation_kind", "view"],
  ["row_security", "off"],
  ["session_replication_role", "replica"],
  ["lc_messages", "C"],
  ["lc_monetary", "C"],
  ["lc_numeric", "C"],
  ["lc_time", "C"],
  ["default_transaction_isolation", "serializable"],
  ["default_transaction_deferrable", "on"],
  ["statement_timeout", "1s"],
  ["transaction_timeout", "1s"],
  ["lock_timeout", "1"],
  ["idle_session_timeout", "1s"],
  ["idle_in_transaction_session_timeout", "1"],
  ["tcp_user_timeout", "1000"],
  ["exit_on_error", "on"],
  ["client_min_messages", "debug1"],
  ["synchronous_commit", "off"],
  ["work_mem", "64kB"],
  ["temp_buffers", "800kB"],
  ["temp_file_limit", "0"],
  ["default_tablespace", "pg_default"],
  ["temp_tablespaces", "pg_default"],
  ["default_toast_compression", "pglz"],
  ["check_function_bodies", "off"],
  ["plan_cache_mode", "force_generic_plan"],
  ["debug_parallel_query", "on"],
  ["max_parallel_workers_per_gather", "0"],
  ["enable_hashagg", "off"],
  ["enable_hashjoin", "off"],
  ["enable_sort", "off"],
  ["enable_nestloop", "off"],
  ["enable_seqscan", "off"],
  ["from_collapse_limit", "1"],
  ["geqo_threshold", "2"],
  ["jit_above_cost", "0"],
  ["lo_compat_privileges", "on"],
  ["event_triggers", "off"],
  ["timezone_abbreviations", "India"],
  ["track_activities", "off"],
];

let bench: SettingsBench;
let plain: Story;

beforeAll(async () => {
  bench = await SettingsBench.open();
  plain = await bench.story([]);
});

afterAll(() => bench.close());

describe("two runs are the same whatever a database says", () => {
  it("and are what they should be where it says nothing", () => {
    expect(plain.runs).toEqual(['OK {"claimed":2,"excluded":1}', 'OK {"claimed":3,"excluded":2,"converted":1}']);
    expect(plain.mails).toHaveLength(5);
  });

  it.each(HARMLESS)("%s = %s", async (setting, value) => {
    const told = difference(plain, await bench.story([`set ${setting} = ${setting === "search_path" ? value : `'${value}'`}`]));
    if (process.env["TABLE"] !== undefined) appendFileSync(process.env["TABLE"], `| ${setting} | ${value} | ${told.slice(0, 150)} |\n`);
    expect(told).toBe("as ever");
  });
});

/** Languages whose letters and order differ from English: I has a small letter of its own, aa comes last, dd is one letter. */
describe("two runs are the same whatever the database's language", () => {
  it.each(["tr-TR", "da-DK", "cy-GB"])("%s", async (locale) => {
    const other = await SettingsBench.open(locale);
    try {
      const story = await other.story([]);
      // A ledger's salt is its own, and with it the ids of its messages.
      const told = ({ ledger, ...rest }: Story): Story => ({ ...rest, ledger: ledger.map((row) => row.replace(/ [0-9a-f]{32} /, " ID ")).sort() });
      expect(told(story)).toEqual(told(plain));
      const copy = await other.copy([]);
      const warehouse = await openPostgres(copy.connection, { root: "." });
      const [row] = await warehouse.query({
        sql: `select ${warehouse.dialect.lower("'IÄĞÆ@X.COM'")} as small, ${warehouse.dialect.lower("'IRIS@X.COM'")} as plain`,
        params: [],
      });
      await warehouse.close();
      await copy.drop();
      expect(row).toEqual({ small: "iäğæ@x.com", plain: "iris@x.com" });
    } finally {
      await other.close();
    }
  });
});
