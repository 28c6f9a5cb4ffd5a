/** docs/tutorial.md's SQL, opportune.yml and segments on both warehouses; test/package follows its commands word for word on one. */
import { expect, it } from "vitest";
import { DocsWorld, tutorialFiles, WAREHOUSES } from "../support/docs-world.js";

it("the tutorial has its files", () => {
  expect(Object.keys(tutorialFiles())).toEqual([
    "warehouse.sql",
    "sql.mjs",
    "opportune.yml",
    "segments/no_planner_yet.sql",
    "segments/audiences/created_planner.sql",
    "segments/audiences/open_tickets.sql",
    "segments/audiences/consented.sql",
    "templates/first_planner.hbs",
  ]);
});

it.each(WAREHOUSES)("on %s each user hears, or doesn't, as it says", async (on) => {
  const world = await DocsWorld.open(on);
  try {
    // As the reader has it: the world's second segment is none of the tutorial's.
    const project = { ...world.project, segments: new Map([...world.project.segments].filter(([id]) => id === "no_planner_yet")) };
    const story = async (): Promise<string[]> => {
      const rows = await world.query("select user_id, event, reason from opportune.sent_ledger where segment = 'no_planner_yet' order by user_id, seq");
      return rows.map(({ user_id: user, event, reason }) => [user, event, reason].join(" "));
    };
    const baseline = ["u1", "u2", "u3", "u4", "u5", "u6"].map((user) => `${user} settled baseline`);
    expect((await world.run(undefined, { project, backfill: false })).problems).toEqual([]);
    expect(await story()).toEqual(baseline);
    expect((await world.run(undefined, { project })).problems).toEqual([]);
    expect((await story()).filter((line) => !baseline.includes(line) && !line.endsWith("backfilled"))).toEqual([
      "u1 claimed claimed",
      "u1 sending sending",
      "u1 accepted accepted",
      "u2 denied converted",
      "u3 denied excluded",
      "u4 denied no_consent",
      "u5 denied invalid",
      "u6 claimed claimed",
      "u6 sending sending",
      "u6 accepted accepted",
      "u7 claimed claimed",
      "u7 sending sending",
      "u7 accepted accepted",
    ]);
  } finally {
    await world.close();
  }
});
