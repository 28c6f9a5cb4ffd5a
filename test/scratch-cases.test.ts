import { expect, test } from "vitest";
import { createModel } from "./model/model.js";
import { readCases, createCaseWorlds, compareRows } from "./support/cases.js";
const worlds = createCaseWorlds();
for (const one of readCases("test/decisions")) test(`${one.file} ${one.name}`, async () => {
  const m = createModel();
  for (const [i, s] of (await worlds.stepsOf(one)).entries()) { const rows = await m.run(s.run); const { got, want } = compareRows(rows, s.expected); expect(got, `run ${i + 1} ${s.run.asOf}`).toEqual(want); }
});
