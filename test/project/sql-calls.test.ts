import { describe, expect, it } from "vitest";
import { usedSources } from "../../src/project/written/sql-references.js";
import { callsOf, placeInFile, sqlCalls } from "../../src/project/written/sql-tokens.js";
import type { Project } from "../../src/project/types.js";

const SQL = `select {{as_of}} as now, {{{ var 'least' }}} -- {{source "old"}}
from {{~source "orders"~}} o, {{source
  "users"}} u /* {{ago "1 day"}} */
where o.at > {{before (source "starts") "1 day"}} and {{ago days}} < 'it''s {{ago "7 days"}}'
{{!-- {{audience "none"}} --}}`;

describe("calls in SQL", () => {
  it("are found with two braces and three, over lines, in comments of SQL's and inside of others, but not in Handlebars' own comments", () => {
    expect(sqlCalls(SQL).map(({ helper, text, nested, comment }) => [helper, text, nested, comment])).toEqual([
      ["as_of", null, false, false],
      ["var", "least", false, false],
      ["source", "old", false, true],
      ["source", "orders", false, false],
      ["source", "users", false, false],
      ["ago", "1 day", false, true],
      ["before", null, false, false],
      ["source", "starts", true, false],
      ["ago", null, false, false],
      ["ago", "7 days", false, false],
    ]);
  });

  it("are cut out whole by their offsets", () => {
    for (const { from, to, nameFrom, textFrom, helper, text, nested } of sqlCalls(SQL)) {
      expect(SQL.slice(from, to)).toMatch(nested ? /^\(.*\)$/ : /^\{\{[^]*\}\}$/);
      expect(SQL.slice(nameFrom)).toMatch(new RegExp(`^${helper}\\b`));
      if (text !== null) expect(SQL.slice(textFrom + 1)).toMatch(new RegExp(`^${text}["']`));
    }
  });

  it("are none where the braces can't be read, and stand at a line and column of the file", () => {
    expect(callsOf("source", `select {{source "a"}} {{`)).toEqual([]);
    const [, second] = callsOf("source", SQL.split("\n").slice(1).join("\n"));
    const file = { sql: SQL.split("\n").slice(1).join("\n"), sqlLine: 5, sqlColumn: 9 };
    expect(placeInFile(file, second?.from ?? 0)).toEqual({ line: 5, column: 39 });
    expect(placeInFile(file, file.sql.indexOf('"users"'))).toEqual({ line: 6, column: 3 });
  });

  it("name the sources that a segment uses, those inside of other calls too", () => {
    const segment = { sql: SQL, goal: null, exclude: [], require: [] };
    const project = { segments: new Map([["cart", segment]]), audiences: new Map(), policy: { exclude: [], require: [] } } as unknown as Project;
    expect([...usedSources(project)].sort()).toEqual(["old", "orders", "starts", "users"]);
  });
});
