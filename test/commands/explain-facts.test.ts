/** What counts as heard, and where the user is, on real warehouses. */
import { describe, expect, it, onTestFinished } from "vitest";
import { factsOf } from "../../src/commands/explain/facts.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import type { StoryEvent } from "../../src/report/story.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { projectWith, warehouseWith } from "../segments/support.js";
import { openNewDatabase } from "../support/postgres.js";

const USERS =
  "create table users as select 'u1' as user_id, 'u1@example.com' as email, timestamp '2026-03-02 11:00:00' as occurred_at, 'Asia/Tokyo' as timezone";

const WAREHOUSES: Readonly<Record<string, () => Promise<Warehouse>>> = {
  duckdb: () => warehouseWith(USERS),
  postgres: async () => {
    const warehouse = await openNewDatabase();
    onTestFinished(() => warehouse.close());
    await warehouse.execute({ sql: USERS, params: [] });
    return warehouse;
  },
};

/** A story with one event of the project's one segment. */
const story = (detail: StoryEvent["detail"] = {}): StoryEvent[] => [{ segment: "cart", decidedAt: "2026-03-02T12:00:00Z", detail } as StoryEvent];
describe.each(Object.entries(WAREHOUSES))("on %s", (_, open) => {
  it("counts standing marketing claims of the user, with their times; now is the last run's", async () => {
    const warehouse = await open();
    await installLedger(new Ledger(warehouse, "opportune"));
    const row = (message: string, minute: number, event: string, counts: number, given: { user?: string; class?: string; trial?: boolean } = {}): string =>
      `(${String(minute)}, 'r1', '${message}', 's', 'st', '${given.user ?? "u1"}', '', '${given.class ?? "marketing"}', 'email', 'carts', timestamp '2026-03-02 11:00:00', timestamp '2026-03-02 11:00:00', timestamp '2026-03-02 12:${String(minute)}:00', timestamp '2026-03-02 12:00:00', '${event}', '${event}', '', 0, ${String(counts)}, ${String(given.trial ?? true)})`;
    const rows = [
      row("heard", 40, "claimed", 1),
      row("heard", 41, "accepted", 0),
      row("failed", 20, "claimed", 1),
      row("failed", 21, "failed", -1),
      row("held", 10, "held_out", 1),
      row("receipt", 30, "claimed", 1, { class: "transactional" }),
      row("other", 30, "claimed", 1, { user: "u2" }),
      // The project's target is not live: its runs count live messages too.
      row("live", 50, "claimed", 1, { trial: false }),
    ];
    await warehouse.execute({
      sql: `insert into opportune.sent_ledger (seq, run_id, message_id, segment, step, user_id, item_key, class, channel, topic, occurred_at, counts_from, decided_at, recorded_at, event, reason, rule, settles, counts, trial) values ${rows.join(", ")}`,
      params: [],
    });
    await warehouse.execute({
      sql: "insert into opportune.runs (run_id, as_of, started_at, status, fence, trial) values ('r1', timestamp '2026-03-02 12:45:00', timestamp '2026-03-02 12:45:00', 'success', 1, true), ('r0', timestamp '2026-03-01 12:45:00', timestamp '2026-03-02 12:45:00', 'success', 1, true), ('r2', timestamp '2026-03-02 12:50:00', timestamp '2026-03-02 12:50:00', 'success', 2, false)",
      params: [],
    });
    const facts = await factsOf(projectWith("select * from users"), new Ledger(warehouse, "opportune"), "u1", story());
    expect(facts).toEqual({
      asOf: "2026-03-02T12:50:00Z",
      timezone: { name: "Asia/Tokyo", known: true },
      heard: ["2026-03-02T12:10:00Z", "2026-03-02T12:40:00Z", "2026-03-02T12:50:00Z"].map((decidedAt) => ({ channel: "email", topic: "carts", decidedAt })),
    });
    const elsewhere = await factsOf(projectWith("select * from users"), new Ledger(warehouse, "opportune"), "u1", story({ zone: "America/Lima" }));
    expect(elsewhere.timezone).toEqual({ name: "America/Lima", known: true });
  });

  it.each([
    ["the segment no longer returns the user", "select * from users where user_id <> 'u1'"],
    ["there is no column timezone", "select user_id, email, occurred_at from users"],
    ["the zone is none", "select user_id, email, occurred_at, 'Mars/Olympus' as timezone from users"],
    ["the query is broken", "select nothing from nowhere"],
  ])("takes the project's zone where %s", async (_name, query) => {
    const warehouse = await open();
    await installLedger(new Ledger(warehouse, "opportune"));
    const made = projectWith(query);
    const facts = await factsOf({ ...made, policy: { ...made.policy, timezone: "Europe/Oslo" } }, new Ledger(warehouse, "opportune"), "u1", story());
    expect(facts).toEqual({ asOf: "2026-03-02T12:00:00Z", timezone: { name: "Europe/Oslo", known: false }, heard: [] });
  });

  it("doesn't take a mistake of the program's for a broken query", async () => {
    const warehouse = await open();
    await installLedger(new Ledger(warehouse, "opportune"));
    const made = projectWith("select * from users");
    const broken = { ...made, segments: new Map([["cart", { ...made.segments.get("cart"), sql: null }]]) } as unknown as typeof made;
    await expect(factsOf(broken, new Ledger(warehouse, "opportune"), "u1", story())).rejects.toThrow(TypeError);
  });
});
