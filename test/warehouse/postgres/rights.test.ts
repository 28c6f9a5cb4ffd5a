import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findObstacles } from "../../../src/warehouse/postgres/rights.js";
import { openPostgres } from "../../../src/warehouse/postgres/warehouse.js";
import { SettingsBench, type Copy } from "../../support/postgres-settings.js";

let bench: SettingsBench;
let copy: Copy;

beforeAll(async () => {
  bench = await SettingsBench.open();
});

afterEach(() => copy.drop());
afterAll(() => bench.close());

/** What `debug` finds, and what two runs say. */
async function found(before: readonly string[], settings: readonly string[] = []): Promise<{ debug: string[]; hints: string; runs: string[]; mails: number }> {
  copy = await bench.copy(settings, before);
  const warehouse = await openPostgres(copy.connection, { root: "." });
  const problems = await findObstacles(warehouse, copy.connection, "opportune");
  await warehouse.close();
  const { runs, mails } = await bench.runs(copy);
  const hints = problems.map(({ hint }) => hint ?? "").join(" ");
  return {
    debug: problems.map(({ message }) => message),
    hints: hints.replaceAll(String(copy.connection.database), "DATABASE").replaceAll(String(copy.connection.user), "ROLE"),
    runs: runs.map((line) => line.replaceAll(String(copy.connection.user), "ROLE")),
    mails: mails.length,
  };
}

describe("what the session can't set, debug finds, and a run refuses before it sends anything", () => {
  it("finds nothing where all is granted", async () => {
    expect(await found([])).toMatchObject({ debug: [], mails: 5 });
  });

  it("a read-only database", async () => {
    const { debug, hints, runs, mails } = await found([], ["set default_transaction_read_only = on"]);
    expect(debug).toEqual(["This Postgres is read-only: it is a standby, or default_transaction_read_only is on. A run writes to the ledger."]);
    expect(hints).toBe("Connect to the primary; or, as its owner: alter database DATABASE reset default_transaction_read_only (or alter role).");
    expect(runs).toEqual([`warehouse/read-only: ${debug[0] ?? ""}`, `warehouse/read-only: ${debug[0] ?? ""}`]);
    expect(mails).toBe(0);
  });

  it("a role without temporary tables", async () => {
    const { debug, hints, runs, mails } = await found(["revoke temporary on database DATABASE from public"]);
    expect(debug).toEqual([expect.stringMatching(/^Role job_\w+ may not create temporary tables in this database\. A run stages its rows in them\.$/)]);
    expect(hints).toBe("As the database's owner: grant temporary on database DATABASE to ROLE;");
    expect(runs[0]).toBe("warehouse/temporary-tables: Role ROLE may not create temporary tables in this database. A run stages its rows in them.");
    expect(runs[1]).toBe(runs[0]);
    expect(mails).toBe(0);
  });

  it("rights on the ledger, table by table", async () => {
    const { hints } = await found([
      "revoke update on opportune.runs from ROLE",
      "grant update (finished_at, candidates, claimed, accepted, failed, in_doubt, released, held, lag_p50_ms, lag_p95_ms, duration_ms) on opportune.runs to ROLE",
      "revoke update on opportune.leases from ROLE",
      "revoke insert on opportune.sent_ledger from ROLE",
      "revoke insert on opportune.templates_sent from ROLE",
    ]);
    expect(hints).toBe(
      "As the ledger's owner: grant update (holder, fence, expires_at) on opportune.leases to ROLE; grant update (status, error) on opportune.runs to ROLE; grant insert on opportune.sent_ledger to ROLE; grant insert on opportune.templates_sent to ROLE;",
    );
  });

  it("no way into the ledger's schema", async () => {
    const { hints, mails } = await found(["revoke usage on schema opportune from ROLE"]);
    expect(hints).toBe("As the ledger's owner: grant usage on schema opportune to ROLE;");
    expect(mails).toBe(0);
  });

  it("temporary files that are too small", async () => {
    const { debug, hints } = await found([], ["set temp_file_limit = '1MB'"]);
    expect(debug).toEqual(["temp_file_limit is 1MB: large segments fail."]);
    expect(hints).toBe("As a superuser: alter role ROLE set temp_file_limit = -1;");
  });
});

describe("a session", () => {
  it("may wait for answers as long as it likes", async () => {
    copy = await bench.copy(["set idle_session_timeout = '5s'"]);
    const warehouse = await openPostgres(copy.connection, { root: "." });
    expect(await warehouse.query({ sql: "select current_setting('idle_session_timeout') as wait", params: [] })).toEqual([{ wait: "0" }]);
    await warehouse.close();
  });

  it("looks up names of ours in Postgres' own schema alone, and of theirs in theirs, never before it", async () => {
    copy = await bench.copy(["set search_path = public, pg_catalog"]);
    const warehouse = await openPostgres(copy.connection, { root: "." });
    const path = async (ours: boolean): Promise<unknown> =>
      (await warehouse.query({ sql: "select pg_catalog.current_setting('search_path') as path", params: [], ours }))[0]?.["path"];
    expect([await path(true), await path(false)]).toEqual(["pg_catalog, pg_temp", "public, pg_nowhere"]);
    await warehouse.close();
  });
});
