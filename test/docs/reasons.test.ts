/** docs/reasons.md has every reason of the rules, in their order, and docs/README.md every page. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readDocument } from "../support/docs.js";

const ROOT = join(import.meta.dirname, "../..");

/** The reasons in the second column of the table of rules. */
function ruledReasons(): string[] {
  const rows = readDocument("docs/decisions.md").matchAll(/^\| (\d+) \| ([^|]+) \|/gm);
  return [...rows].flatMap(([, , reasons = ""]) => [...reasons.matchAll(/`(\w+)`/g)].map(([, reason = ""]) => reason));
}

it("every reason of the rules has its section, in the order of the rules", () => {
  const sections = [...readDocument("docs/reasons.md").matchAll(/^### (\w+)\n\n(.*?)(?=\n#|$(?![\s\S]))/gms)];
  expect(ruledReasons().length).toBeGreaterThan(20);
  expect(sections.map(([, reason]) => reason)).toEqual(ruledReasons());
  // Each but the last says what follows.
  for (const [, reason = "", text = ""] of sections.slice(0, -1))
    expect(text, reason).toMatch(/\*Then:\* (?:asked again|waits|settled|recorded once, settled|the journey ends)\b/);
});

it("every reason for which a row is counted and not recorded is explained", () => {
  const counted = ["sql/stage.sql", "sql/arbitrate.sql"].flatMap((file) =>
    [
      ...readFileSync(join(ROOT, file), "utf8").matchAll(
        /(?:then|else|select r\.segment, case when .* then) '(null_\w+|future_\w+|duplicate|not_due|same_occurrence|repeat_never|journey_running)'/g,
      ),
    ].map(([, reason = ""]) => reason),
  );
  expect(new Set(counted).size).toBeGreaterThan(7);
  const [, section = ""] = readDocument("docs/reasons.md").split("## Rows without a decision");
  expect([...new Set(counted)].filter((reason) => !section.includes(`\`${reason}\``))).toEqual([]);
});

it("docs/README.md names every page", () => {
  const pages = readdirSync(join(ROOT, "docs")).filter((file) => file.endsWith(".md") && file !== "README.md");
  const linked = [...readDocument("docs/README.md").matchAll(/\]\((\w+\.md)\)/g)].map(([, page]) => page);
  expect([...linked].sort()).toEqual(pages.sort());
});
