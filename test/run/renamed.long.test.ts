/** A segment under a new name is a new segment to the ledger: whoever heard from the old one must not hear from it again. */
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { opportune, write } from "../commands/support.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";
import { loadProject } from "../../src/project/build/load.js";
import type { RunResult } from "../../src/run/types.js";

const DAY = 24 * 60 * MINUTE;

/** A segment of another query beside it, which goes on whatever happens to the first one. */
const TIP = `/*---
status: live
priority: 10
first_run: send
steps: [{name: hint, channel: email, template: cart}]
---*/
select user_id, email, occurred_at, name, total from {{source "carts"}} where user_id >= 'x'
`;

function rename(shop: Shop, from: string, to: string): void {
  mkdirSync(dirname(join(shop.root, to)), { recursive: true });
  renameSync(join(shop.root, from), join(shop.root, to));
}

/** Who was written to by which segment, once for each message. */
const claims = async (shop: Shop): Promise<string[]> =>
  (await shop.rows("select segment || ' ' || user_id as told from opportune.sent_ledger where event = 'claimed' order by segment, user_id")).map(({ told }) =>
    String(told),
  );

const codes = ({ problems }: RunResult): string[] => problems.map(({ code }) => code);

/** The segment `cart` has written to ada and bob. */
async function ranOnce(options: Parameters<typeof Shop.open>[0] = {}): Promise<Shop> {
  const shop = await Shop.sending(["ada", "bob"], options);
  expect(codes(await shop.run(T0))).toEqual([]);
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com"]);
  return shop;
}

describe.each(["duckdb", "postgres"] as const)("on %s", (on) => {
  it("a renamed segment is not run and says both ways out; the others go on, and with `id:` nobody hears twice", async () => {
    const shop = await ranOnce({ on });
    rename(shop, "segments/cart.sql", "segments/left_cart.sql");
    write(shop.root, { "segments/tip.sql": TIP });
    await shop.carts(["xenia"], 20);
    const refused = await shop.run(T0 + 5 * MINUTE);
    expect(refused.problems).toEqual([
      {
        code: "segment/renamed",
        message:
          "Segment left_cart has the query of segment cart, which ran before and has no file any more: it looks renamed, and its users would hear again. It is not run.",
        hint: "If it is the same segment, write `id: cart` into its front matter. If cart is gone for good, run `opportune ledger forget-segment cart`.",
        file: "segments/left_cart.sql",
        line: 1,
      },
    ]);
    expect(refused.decisions.segments).toMatchObject([
      { segment: "left_cart", returned: null, reasons: {} },
      { segment: "tip", reasons: { claimed: 1 } },
    ]);
    expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "xenia@example.com"]);
    expect(await shop.rows("select error from opportune.segment_runs where segment = 'left_cart' and succeeded = 0")).toEqual([
      { error: refused.problems[0]?.message },
    ]);
    // A run is refused again and again, and a dry run says so too.
    expect(codes(await shop.run(T0 + 10 * MINUTE, { dryRun: true }))).toEqual(["segment/renamed"]);
    expect(codes(await shop.run(T0 + 10 * MINUTE))).toEqual(["segment/renamed"]);

    shop.edit("segments/left_cart.sql", "status: live", "id: cart\nstatus: live");
    await shop.carts(["carl"], 15);
    const named = await shop.run(T0 + 15 * MINUTE);
    expect(codes(named)).toEqual([]);
    expect(await claims(shop)).toEqual(["cart ada", "cart bob", "cart carl", "cart xenia", "tip xenia"]);
    expect(shop.recipients()).toHaveLength(5);
  });

  it("once the old segment is forgotten, the new one is new; the ledger keeps that it was said", async () => {
    const shop = await ranOnce({ on });
    rename(shop, "segments/cart.sql", "segments/left_cart.sql");
    expect(codes(await shop.run(T0 + 5 * MINUTE))).toEqual(["segment/renamed"]);
    const said = await opportune(shop.root, ["ledger", "forget-segment", "cart"]);
    expect(said).toEqual({
      code: 0,
      stderr: "",
      stdout:
        "Segment cart, which ran last as of 2026-03-02T12:00:00Z, is forgotten in the ledger of target dev: a new segment with its query is new, and may write to the same users again.\n",
    });
    expect(await shop.rows("select segment, shape, succeeded from opportune.segment_runs where shape = 'forgotten'")).toMatchObject([
      { segment: "cart", shape: "forgotten" },
    ]);
    expect(await shop.rows("select holder from opportune.leases where name = 'run'")).toEqual([{ holder: null }]);
    expect(codes(await shop.run(T0 + 10 * MINUTE))).toEqual([]);
    expect(shop.recipients()).toEqual(["ada@example.com", "ada@example.com", "bob@example.com", "bob@example.com"]);

    // The rename is taken back: the new name is the one that is gone now.
    rename(shop, "segments/left_cart.sql", "segments/cart.sql");
    const back = await shop.run(T0 + 15 * MINUTE);
    expect(back.problems).toMatchObject([{ code: "segment/renamed", message: expect.stringContaining("has the query of segment left_cart") as string }]);
    expect(shop.recipients()).toHaveLength(4);
  });
});

/** What is done to a project whose segment `cart` has run, and the segments that are refused then. */
const RENAMES: [string, (shop: Shop) => void, string[]][] = [
  ["into a sub-folder under the same name", (shop) => rename(shop, "segments/cart.sql", "segments/shop/cart.sql"), []],
  ["into a sub-folder under another name", (shop) => rename(shop, "segments/cart.sql", "segments/shop/left.sql"), ["left"]],
  ["by `id:` alone", (shop) => shop.edit("segments/cart.sql", "status: live", "id: left\nstatus: live"), ["left"]],
  [
    "with comments, layout and capitals changed",
    (shop) => {
      rename(shop, "segments/cart.sql", "segments/left.sql");
      shop.edit(
        "segments/left.sql",
        "select user_id, email, occurred_at, name, total from",
        "-- who left a cart\nSELECT\n  user_id,\n  email, {{!-- when --}}\n  occurred_at,name,\n  total /* euros */\nFROM",
      );
    },
    ["left"],
  ],
  [
    "with another template, step, window, key and repeat",
    (shop) => {
      rename(shop, "segments/cart.sql", "segments/left.sql");
      shop.edit(
        "segments/left.sql",
        "steps:\n  - {name: nudge, after: 10 minutes,",
        "key: name\nrepeat: each_occurrence\nsteps:\n  - {name: other, after: 5 minutes,",
      );
    },
    ["left"],
  ],
  [
    "without first_run: send",
    (shop) => {
      rename(shop, "segments/cart.sql", "segments/left.sql");
      shop.edit("segments/left.sql", "first_run: send\n", "");
    },
    ["left"],
  ],
  [
    "by a copy, the old file being a draft now",
    (shop) => {
      copy(shop, "left");
      shop.edit("segments/cart.sql", "status: live", "status: draft");
    },
    ["left"],
  ],
  ["by a copy beside the old file, which goes on", (shop) => copy(shop, "left"), []],
  ["by a copy beside the old file, which is paused", (shop) => (copy(shop, "left"), shop.edit("segments/cart.sql", "status: live", "status: paused")), []],
  ["as a draft", (shop) => (rename(shop, "segments/cart.sql", "segments/left.sql"), shop.edit("segments/left.sql", "status: live", "status: draft")), []],
  [
    "into two",
    (shop) => {
      rename(shop, "segments/cart.sql", "segments/left.sql");
      write(shop.root, { "segments/right.sql": readFileSync(join(shop.root, "segments/left.sql"), "utf8") });
    },
    ["left", "right"],
  ],
  [
    "in a swap of two names",
    (shop) => {
      rename(shop, "segments/cart.sql", "segments/swapped.sql");
      rename(shop, "segments/tip.sql", "segments/cart.sql");
      rename(shop, "segments/swapped.sql", "segments/tip.sql");
    },
    ["cart", "tip"],
  ],
  [
    "to a name that another one leaves",
    (shop) => {
      rename(shop, "segments/tip.sql", "segments/hint.sql");
      rename(shop, "segments/cart.sql", "segments/tip.sql");
    },
    ["hint", "tip"],
  ],
  [
    "not at all: its query is another one",
    (shop) => shop.edit("segments/cart.sql", 'from {{source "carts"}}', "from {{source \"carts\"}} where name <> 'ADA'"),
    [],
  ],
  [
    "not at all: it is gone, and another query comes",
    (shop) => {
      rmSync(join(shop.root, "segments/cart.sql"));
      write(shop.root, { "segments/new.sql": TIP.replace(">= 'x'", ">= 'y'") });
    },
    [],
  ],
];

function copy(shop: Shop, id: string): void {
  write(shop.root, { [`segments/${id}.sql`]: readFileSync(join(shop.root, "segments/cart.sql"), "utf8") });
}

it.each(RENAMES)("renamed %s", async (_, change, refused) => {
  const shop = await Shop.sending(["ada", "bob"]);
  write(shop.root, { "segments/tip.sql": TIP });
  await shop.run(T0);
  change(shop);
  const { problems, decisions } = await shop.run(T0 + 5 * MINUTE);
  expect(problems.map(({ code }) => code)).toEqual(refused.map(() => "segment/renamed"));
  expect(decisions.segments.filter(({ problem }) => problem !== null).map(({ segment }) => segment)).toEqual(refused);
});

it("a swap is told by the files that have other queries now, and ends with both ids written down", async () => {
  const shop = await Shop.sending(["ada", "xenia"]);
  write(shop.root, { "segments/tip.sql": TIP });
  await shop.run(T0);
  rename(shop, "segments/cart.sql", "segments/swapped.sql");
  rename(shop, "segments/tip.sql", "segments/cart.sql");
  rename(shop, "segments/swapped.sql", "segments/tip.sql");
  expect((await shop.run(T0 + 5 * MINUTE)).problems).toMatchObject([
    {
      message:
        "Segment cart has the query of segment tip, which ran before and has another query now: it looks renamed, and its users would hear again. It is not run.",
      hint: "If it is the same segment, give segments/tip.sql another id, and write `id: tip` into its front matter. If tip is gone for good, run `opportune ledger forget-segment tip`.",
      file: "segments/cart.sql",
    },
    { file: "segments/tip.sql" },
  ]);
  shop.edit("segments/cart.sql", "status: live", "id: tip\nstatus: live");
  shop.edit("segments/tip.sql", "status: live", "id: cart\nstatus: live");
  expect(codes(await shop.run(T0 + 10 * MINUTE))).toEqual([]);
  expect(await claims(shop)).toEqual(["cart ada", "cart xenia", "tip xenia"]);
  expect(shop.recipients()).toHaveLength(3);
});

it("a name that another query has taken is not run either, alone or with the other, so that the rename is known run after run", async () => {
  const shop = await ranOnce();
  rename(shop, "segments/cart.sql", "segments/left.sql");
  write(shop.root, { "segments/cart.sql": TIP });
  await shop.carts(["xenia"], 20);
  const cart = [...loadProject(shop.root, { env: {} }).segments.values()].filter(({ id }) => id === "cart");
  for (const segments of [cart, undefined, cart, undefined]) {
    const { problems } = await shop.run(T0 + 5 * MINUTE, segments === undefined ? {} : { segments });
    expect(problems.map(({ file }) => file)).toEqual(segments === undefined ? ["segments/cart.sql", "segments/left.sql"] : ["segments/cart.sql"]);
    expect(problems[0]).toMatchObject({
      code: "segment/renamed",
      message:
        "Segment cart has another query than in its last run, and segments/left.sql has that one: which of the two goes on as cart can't be told. It is not run.",
      hint: "If segments/left.sql goes on as cart, give segments/cart.sql another id, and write `id: cart` into segments/left.sql. If not, run `opportune ledger forget-segment cart`.",
    });
  }
  expect(shop.recipients()).toHaveLength(2);
  shop.edit("segments/cart.sql", "status: live", "id: tip\nstatus: live");
  shop.edit("segments/left.sql", "status: live", "id: cart\nstatus: live");
  expect(codes(await shop.run(T0 + 10 * MINUTE))).toEqual([]);
  expect(await claims(shop)).toEqual(["cart ada", "cart bob", "cart xenia"]);
});

it("a segment that last ran long before anybody looks is known still, whichever others ran meanwhile", async () => {
  const shop = await ranOnce();
  write(shop.root, { "segments/tip.sql": TIP });
  rename(shop, "segments/cart.sql", "kept.sql");
  for (const days of [1, 20, 40]) expect(codes(await shop.run(T0 + days * DAY))).toEqual([]);
  rename(shop, "kept.sql", "segments/left.sql");
  expect(codes(await shop.run(T0 + 41 * DAY))).toEqual(["segment/renamed"]);
  // Under its own name it comes back, and everybody it wrote to is known.
  rename(shop, "segments/left.sql", "segments/cart.sql");
  const back = await shop.run(T0 + 42 * DAY);
  expect(codes(back)).toEqual([]);
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com"]);
});

it("of two that ran with one query, either may go", async () => {
  const shop = await ranOnce();
  copy(shop, "left");
  await shop.run(T0 + 5 * MINUTE);
  rmSync(join(shop.root, "segments/cart.sql"));
  expect(codes(await shop.run(T0 + 10 * MINUTE))).toEqual([]);
});

it("a name whose segment was forgotten begins anew at that: who qualified by then is baseline, `first_run: send` or not", async () => {
  const shop = await ranOnce();
  rename(shop, "segments/cart.sql", "kept.sql");
  await opportune(shop.root, ["ledger", "forget-segment", "cart"]);
  rename(shop, "kept.sql", "segments/cart.sql");
  await shop.carts(["carl"], 15);
  const [forgotten] = await shop.rows("select cast(as_of as varchar) as at from opportune.segment_runs where shape = 'forgotten'");
  const back = await shop.run(Date.parse(`${String(forgotten?.["at"]).replace(" ", "T")}Z`) + MINUTE);
  expect(codes(back)).toEqual([]);
  expect(back.decisions.segments).toMatchObject([{ reasons: {} }]);
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com"]);
});

it("forget-segment refuses a segment that goes on, one that never ran, and one that is forgotten", async () => {
  const shop = await ranOnce();
  const forget = (...ids: string[]) => opportune(shop.root, ["ledger", "forget-segment", ...ids]);
  expect(await forget("cart")).toEqual({
    code: 2,
    stdout: "",
    stderr:
      "Segment cart is in segments/cart.sql and goes on as it ran: it is not forgotten.\n    Remove its file, or set `status: draft` in it, and run this again.\n",
  });
  rename(shop, "segments/cart.sql", "segments/left.sql");
  expect(await forget("cat", "cart")).toEqual({
    code: 2,
    stdout: "",
    stderr: 'The ledger has no run of a segment "cat".\n    Name one that ran and is gone: cart.\n',
  });
  expect(await shop.rows("select 1 from opportune.segment_runs where shape = 'forgotten'")).toEqual([]);
  expect((await forget("cart")).code).toBe(0);
  expect((await forget("cart")).stderr).toBe("Segment cart is forgotten already.\n    No segment that ran is gone: there is nothing to forget.\n");
});

it("compile finds a renamed segment before it is deployed, exit 1", async () => {
  const shop = await ranOnce();
  rename(shop, "segments/cart.sql", "segments/left.sql");
  const { code, stderr } = await opportune(shop.root, ["compile"]);
  expect(code).toBe(1);
  expect(stderr).toContain("segments/left.sql:1: Segment left has the query of segment cart");
});

it("lint finds `first_run: send` once the segment has run, and says so where the ledger can't be read", async () => {
  const shop = await Shop.sending(["ada"]);
  const first = async (): Promise<string[]> => {
    const { stdout } = await opportune(shop.root, ["lint", "--output", "json"]);
    const { findings } = JSON.parse(stdout) as { findings: { rule: string; message: string }[] };
    return findings.filter(({ rule }) => rule === "first-run-over").map(({ message }) => message);
  };
  expect(await first()).toEqual([]);
  await shop.run(T0);
  expect(await first()).toEqual(["Segment cart has run before: `first_run: send` has no effect any more."]);
  shop.edit("opportune.yml", '"shop.duckdb"', '"elsewhere.duckdb"');
  expect(await first()).toEqual([]);
  expect((await opportune(shop.root, ["lint"])).stderr).toMatch(
    /^The rule first-run-over was skipped, as the ledger of target dev can't be read: .*elsewhere\.duckdb/,
  );
});
