/** What a project names, found in its texts: variables of the environment, and sources. */
import { expect, it } from "vitest";
import { variablesIn } from "../../src/project/written/environment.js";
import { usedSources } from "../../src/project/written/sql-references.js";
import type { Project } from "../../src/project/types.js";

it("finds the variables that values are filled from, and nothing that only looks like one", () => {
  expect(variablesIn("a: ${B}/${A_1}\nb: ${B} ${1X} ${A:-b} ${} $C ${D")).toEqual(["B", "A_1"]);
});

const used = (sql: string): string[] => [
  ...usedSources({
    segments: new Map([["cart", { sql, goal: null, exclude: [], require: [] }]]),
    audiences: new Map(),
    policy: { exclude: [], require: [] },
  } as unknown as Project),
];

it.each([
  ['{{source "carts"}} {{{source "users"}}} {{~ source \'orders\' ~}}', ["carts", "users", "orders"]],
  ['{{#if (source "carts")}}x{{/if}}', ["carts"]],
  ['{{!-- {{source "carts"}} --}} {{var "source"}} \'source "x"\'', []],
  ['-- {{source "carts"}}', ["carts"]],
  ['{{source "carts"}} {{source', []],
])("finds the sources of %s", (sql, sources) => {
  expect(used(sql)).toEqual(sources);
});
