import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { pauses, setPause } from "../../../src/ledger/pauses.js";
import { installLedger } from "../../../src/ledger/install/install.js";
import { ledgerStatus } from "../../../src/ledger/install/versions.js";
import { Ledger } from "../../../src/ledger/ledger.js";
import { findObstacles } from "../../../src/warehouse/postgres/rights.js";
import { openPostgres } from "../../../src/warehouse/postgres/warehouse.js";
import { BY_OPERATOR } from "../../support/pauses.js";
import { serverConnection } from "../../support/postgres.js";
import { difference, on, SettingsBench, type Copy } from "../../support/postgres-settings.js";

const NAMES = `abs btrim coalesce concat count current_setting extract floor format_type hashtextextended json_build_object length lower max md5 min now
  octet_length pg_advisory_lock pg_backend_pid quote_ident regexp_replace replace row_number rtrim set_config substr sum timezone to_json translate trim unnest upper`;
const OPERATORS = "= <> < > <= >= || + - * / ~ ~~ !~~ !~";
const TYPES = "text varchar int bigint numeric boolean timestamptz timestamp interval text[] name";

/**
 * Somebody's functions and operators in `public`, which everybody's session looks names up in: one of each name for each
 * type or two of them, so that some match better than Postgres' own. Each tells with whose rights it ran.
 */
const SHADOWS = `do $do$
declare f text; a text; b text;
begin
  create table public.caught (role text, what text);
  grant insert, select on public.caught to public;
  set local check_function_bodies = off;
  foreach f in array string_to_array(regexp_replace('${NAMES}', '\\s+', ' ', 'g'), ' ') loop
    foreach a in array string_to_array('${TYPES}', ' ') loop
      begin
        execute format('create function public.%I(%s) returns text language plpgsql as $f$ begin insert into public.caught values (session_user, %L); return null; end $f$', f, a, f || ' ' || a);
      exception when others then null; end;
      foreach b in array string_to_array('${TYPES}', ' ') loop
        begin
          execute format('create function public.%I(%s, %s) returns text language plpgsql as $f$ begin insert into public.caught values (session_user, %L); return null; end $f$', f, a, b, f || ' ' || a || ' ' || b);
        exception when others then null; end;
      end loop;
    end loop;
  end loop;
  foreach a in array string_to_array('${TYPES}', ' ') loop
    foreach b in array string_to_array('${TYPES}', ' ') loop
      foreach f in array string_to_array('${OPERATORS}', ' ') loop
        execute format('create function public.%I(%s, %s) returns boolean language plpgsql as $f$ begin insert into public.caught values (session_user, %L); return null; end $f$', 'op ' || f, a, b, f || ' ' || a || ' ' || b);
        execute format('create operator public.%s (leftarg = %s, rightarg = %s, function = public.%I)', f, a, b, 'op ' || f);
      end loop;
    end loop;
  end loop;
  create table public.sent_ledger (seq int);
  create table public.segment_rows (seq int);
  create table public.pg_class (oid int);
  grant usage on schema public to public;
end $do$`;

let bench: SettingsBench;
let copy: Copy;

beforeAll(async () => {
  bench = await SettingsBench.open();
});

afterEach(() => copy.drop());
afterAll(() => bench.close());

const caught = async (): Promise<string[]> =>
  (await on(String(copy.connection.database), "select distinct what from public.caught order by what")).map(({ what }) => String(what));

it("somebody's functions and operators aren't taken for Postgres' own in a run, whichever match better", async () => {
  const plain = await bench.story([]);
  copy = await bench.copy([], [SHADOWS]);
  // They would be found: a name in a statement of a user's is looked up there.
  expect(
    Number(
      (await on(String(copy.connection.database), "select count(*) as n from pg_catalog.pg_proc where pronamespace = 'public'::pg_catalog.regnamespace"))[0]?.[
        "n"
      ],
    ),
  ).toBeGreaterThan(3000);
  const story = await bench.runs(copy);
  expect([difference(plain, story), await caught()]).toEqual(["as ever", []]);
});

it("nor where the role's path puts them first", async () => {
  const plain = await bench.story([]);
  copy = await bench.copy(["set search_path = public, pg_catalog"], [SHADOWS]);
  const story = await bench.runs(copy);
  expect([difference(plain, story), await caught()]).toEqual(["as ever", []]);
});

it("nor by those who install a ledger, pause, and look", async () => {
  copy = await bench.copy([], [SHADOWS]);
  const { user, password } = serverConnection();
  const warehouse = await openPostgres({ ...copy.connection, user, password }, { root: "." });
  await installLedger(new Ledger(warehouse, "second"));
  await installLedger(new Ledger(warehouse, "second"));
  await setPause(new Ledger(warehouse, "second", () => Date.parse("2026-03-02T12:00:00Z")), {
    ...BY_OPERATOR,
    scope: "segment",
    name: "cart",
    paused: true,
    note: "x",
  });
  expect(await pauses(new Ledger(warehouse, "second", () => Date.parse("2026-03-02T12:00:00Z")), false)).toHaveLength(1);
  expect((await ledgerStatus(new Ledger(warehouse, "second"))).version).toBeGreaterThan(0);
  expect(await findObstacles(warehouse, copy.connection, "second")).toEqual([]);
  await warehouse.close();
  expect(await caught()).toEqual([]);
});
