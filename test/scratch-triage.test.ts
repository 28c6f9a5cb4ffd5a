import { test } from "vitest";
import { createModel } from "./model/model.js";
import { compareStory } from "./support/compare.js";
import { explain } from "./support/explain.js";
import { createSqlDecider } from "./support/sql-decider.js";
import { drawStory } from "./support/stories.js";
import { writeFileSync } from "node:fs";
test("t", { timeout: 900000 }, async () => {
  let n = 0; const from = Number(process.env["FROM"] ?? 1), to = Number(process.env["TO"] ?? 12);
  for (let seed = from; seed <= to; seed++) {
    const { runs } = drawStory(seed); const t = Date.now();
    try {
    const r = await compareStory(runs, createModel(), await createSqlDecider()); n += r.candidates;
    const d = r.difference;
    console.log(seed, r.candidates, runs.length, Date.now() - t, "ms", d === null ? "same" : `run ${d.run + 1}: model ${JSON.stringify(d.onlyModel.slice(0, 3).map(x => `${x.event} ${x.reason} ${x.rule}`))} sql ${JSON.stringify(d.onlyOther.slice(0, 3).map(x => `${x.event} ${x.reason} ${x.rule}`))}`, r.broken.slice(0, 2));
    if (d !== null || r.broken.length) writeFileSync(`/tmp/story-${seed}.txt`, await explain(seed, runs, r, () => [createModel(), createSqlDecider()]));
    } catch (e) { console.log(seed, String(e).slice(0, 600)); }
  }
});
