/**
 * The tables of reasons in README.md and docs/reasons.md are made from the rows in src/arbitration;
 * `UPDATE_DOCS=1 npx vitest run test/docs/reasons.test.ts` writes them anew. docs/README.md names every page.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROW_REASONS } from "../../src/arbitration/reasons/others.js";
import { OUTCOMES } from "../../src/arbitration/reasons/outcomes.js";
import { REASONS } from "../../src/arbitration/reasons.js";
import { expectGenerated, readDocument, table } from "../support/docs.js";

const ROOT = join(import.meta.dirname, "../..");
const RULES = REASONS.filter(({ place }) => place !== null);
const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");

it("README.md has every reason of the rules", () => {
  const first = (means: string): string => means.split(/\.(?: |$)/, 1)[0] ?? "";
  expectGenerated(
    "README.md",
    "reasons",
    table(
      ["reason", "means", "then"],
      RULES.map(({ name, means, then }) => [`[\`${name}\`](docs/reasons.md#${name})`, first(means), then.split(/ until |[,;] /, 1)[0] ?? ""]),
    ),
  );
});

it("docs/reasons.md has every reason, with what follows and what to do", () => {
  const section = ({ name, means, then, remedy }: (typeof RULES)[number]): string =>
    `### ${name}\n\n${means} *Then:* ${then}.${remedy === "" ? "" : `\n${remedy}`}`;
  expectGenerated("docs/reasons.md", "reasons", REASONS.map(section).join("\n\n"));
});

it("docs/reasons.md has the rule and the keys of detail of every reason", () => {
  expectGenerated(
    "docs/reasons.md",
    "rule and detail",
    table(
      ["reason", "event", "is about", "marketing alone", "`rule` names", "keys of `detail`"],
      REASONS.map(({ name, event, ending, concerns, marketingOnly, rule, detail }) => [
        code([name]),
        code([...new Set([event, ending ?? event])]),
        `the ${concerns}`,
        marketingOnly ? "yes" : "",
        rule ?? "",
        code(Object.keys(detail)),
      ]),
    ),
  );
});

it("docs/reasons.md has every outcome", () => {
  expectGenerated(
    "docs/reasons.md",
    "outcomes",
    table(
      ["event", "reason", "what to do"],
      OUTCOMES.map(({ event, reasons, remedy }) => [code([event]), code(reasons), remedy]),
    ),
  );
});

it("docs/reasons.md has every reason for which a row is counted and not recorded", () => {
  expectGenerated(
    "docs/reasons.md",
    "rows",
    table(
      ["counted as", "because"],
      ROW_REASONS.map(({ name, means }) => [code([name]), means]),
    ),
  );
});

it("and SQL counts rows by no other", () => {
  const files = ["stage.sql", ...readdirSync(join(ROOT, "sql"), { recursive: true, encoding: "utf8" }).filter((file) => /^arbitrate.*\.sql$/.test(file))];
  const counted = files.flatMap((file) =>
    [
      ...readFileSync(join(ROOT, "sql", file), "utf8").matchAll(
        /(?:then|else) '((?:null|future|long)_\w+|duplicate|not_due|\w+_occurrence|repeat_never|journey_running)'/g,
      ),
    ].map(([, reason = ""]) => reason),
  );
  expect([...new Set([...counted, "converted"])].sort()).toEqual(ROW_REASONS.map(({ name }) => name).sort());
});

it("docs/README.md names every page", () => {
  const pages = readdirSync(join(ROOT, "docs")).filter((file) => file.endsWith(".md") && file !== "README.md");
  const linked = [...readDocument("docs/README.md").matchAll(/\]\((\w+\.md)\)/g)].map(([, page]) => page);
  expect([...linked].sort()).toEqual(pages.sort());
});
