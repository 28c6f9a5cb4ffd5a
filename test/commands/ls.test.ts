import { describe, expect, it } from "vitest";
import { OpportuneError } from "../../src/core/errors.js";
import { selectSegments } from "../../src/commands/shared/select.js";
import { loadProject } from "../../src/project/build/load.js";
import { opportune, SHOP, temporaryFolder, write } from "./support.js";

function project(): string {
  const root = temporaryFolder();
  write(root, SHOP);
  return root;
}

describe("ls", () => {
  it("lists segments and audiences without a warehouse, and says that it knows of no pauses", async () => {
    const outcome = await opportune(project(), ["ls"]);
    expect(outcome).toMatchObject({
      code: 0,
      stderr: "warning: What is paused by command isn't known: There is no DuckDB file at shop.duckdb.\n",
    });
    expect(outcome.stdout).toBe(`segment         status  signal      priority  channel  topic  steps
cart_abandoned  live    intent            80  email    carts  nudge +10 minutes
cart_waiting    live    intent            10  email    carts  hint +5 minutes
win_back        draft   inactivity        50  email           hello +0 seconds

audience  used by
ordered   cart_abandoned (goal)
`);
  });

  it("tells who builds on an audience", async () => {
    const root = project();
    write(root, {
      "segments/audiences/regulars.sql": 'select user_id from {{audience "ordered"}} o group by user_id having count(*) > 2\n',
      "segments/regular.sql": '/*---\nchannel: email\ntemplate: cart\n---*/\nselect user_id from {{audience "regulars"}} r\n',
    });
    const { stdout } = await opportune(root, ["ls"]);
    expect(stdout).toContain("ordered   cart_abandoned (goal), regulars (builds on it)\n");
    expect(stdout).toContain("regulars  regular (builds on it)");
  });

  it("lists the selected as JSON", async () => {
    const outcome = await opportune(project(), ["ls", "--output", "json", "--select", "topic:carts", "--exclude", "cart_waiting"]);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      schema_version: 1,
      segments: [{ segment: "cart_abandoned", steps: [{ name: "nudge", after_seconds: 600 }] }],
      audiences: [{ audience: "ordered" }],
    });
  });
});

describe("--select and --exclude", () => {
  const loaded = loadProject(project(), { env: {} });
  const ids = (select?: string[], exclude?: string[]): string[] =>
    selectSegments(loaded, { ...(select === undefined ? {} : { select }), ...(exclude === undefined ? {} : { exclude }) }).map(({ id }) => id);

  it.each([
    [["cart_*"], undefined, ["cart_abandoned", "cart_waiting"]],
    [["cart_?aiting"], undefined, ["cart_waiting"]],
    [["status:draft"], undefined, ["win_back"]],
    [["signal:intent"], ["cart_waiting"], ["cart_abandoned"]],
    [["topic:carts,win_back"], undefined, ["cart_abandoned", "cart_waiting", "win_back"]],
    [["win_back cart_waiting"], undefined, ["cart_waiting", "win_back"]],
    [undefined, ["signal:int*"], ["win_back"]],
    [undefined, undefined, ["cart_abandoned", "cart_waiting", "win_back"]],
  ])("%j without %j is %j", (select, exclude, expected) => {
    expect(ids(select, exclude)).toEqual(expected);
  });

  it.each([
    ["signal:intnt", 'There is no signal "intnt".', 'Did you mean "intent"?'],
    ["sgnal:intent", 'Segments can\'t be selected by "sgnal".', 'Did you mean "signal:intent"?'],
    ["size:big", 'Segments can\'t be selected by "size".', "Allowed: signal, status, topic, ids and patterns such as cart_*."],
    ["cart-abandoned", 'There is no segment "cart-abandoned".', 'Did you mean "cart_abandoned"?'],
    ["status:paused", 'There is no status "paused".', "There are: draft, live."],
    ["order.*", 'There is no segment "order.*".', "There are: cart_abandoned, cart_waiting, win_back."],
  ])("refuses %s with the nearest name, exit 2", (word, message, hint) => {
    for (const attempt of [() => ids([word]), () => ids(undefined, [word])]) {
      expect(attempt).toThrow(OpportuneError);
      expect(attempt).toThrow(`${message}\n    ${hint}`);
    }
  });

  it("refuses to be left with nothing, exit 2", () => {
    expect(() => ids(["cart_*"], ["signal:intent"])).toThrow("No segment is left");
  });
});
