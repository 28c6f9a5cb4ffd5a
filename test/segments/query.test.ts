import { describe, expect, it } from "vitest";
import { OpportuneError, type Problem } from "../../src/core/errors.js";
import type { Project, Segment } from "../../src/project/types.js";
import { renderQuery } from "../../src/segments/query.js";
import { duckdbDialect } from "../../src/warehouse/duckdb/dialect.js";
import { Binder } from "../../src/warehouse/sql.js";
import type { Param } from "../../src/warehouse/types.js";
import { AS_OF, projectWith, QUERY_LINE, segmentOf } from "./support.js";

const project = projectWith("select user_id, email, occurred_at from carts");

/** A project is checked when it is loaded; what only rendering finds is put in afterwards. */
function segment(sql: string): Segment {
  return { ...segmentOf(project), sql };
}

function rendered(sql: string, of: Project = project): { sql: string; params: Param[]; sources: readonly string[] } {
  const binder = new Binder(duckdbDialect);
  const query = renderQuery(segment(sql), of, AS_OF, binder);
  return { ...query, params: binder.params };
}

function problem(sql: string, of: Project = project): Problem | undefined {
  try {
    rendered(sql, of);
  } catch (error) {
    if (error instanceof OpportuneError && error.exitCode === 2) return error.problems[0];
    throw error;
  }
  throw new Error(`it rendered: ${sql}`);
}

describe("what SQL may ask for", () => {
  it("binds times and values, equal ones once, and pastes tables", () => {
    const query = rendered(
      `select * from {{source "carts"}} join {{source "orders"}} o using (user_id)\nwhere at between {{ago "3 days"}} and {{as_of}} and o.at > {{ago "72 hours"}}`,
    );
    expect(query.sql).toBe(
      "select * from main.carts join main.orders o using (user_id)\nwhere at between cast($1 as timestamp) and cast($2 as timestamp) and o.at > cast($1 as timestamp)",
    );
    expect(query.params).toEqual(["2026-02-27T12:00:00Z", AS_OF]);
    expect(query.sources).toEqual(["carts", "orders"]);
  });

  it("binds vars of every type, whatever is in them", () => {
    const query = rendered(`{{var "least"}} {{var "share"}} {{var "plan"}} {{var "beta"}}`);
    expect(query.sql).toBe("cast($1 as bigint) cast($2 as decimal(2, 1)) cast($3 as varchar) cast($4 as boolean)");
    expect(query.params).toEqual(["10", "0.5", `it's; -- "pro"`, "true"]);
  });

  it("moves a column's time back", () => {
    expect(rendered(`select * from t where {{before "t.ends_at" "1 day"}} <= {{as_of}}`).sql).toBe(
      "select * from t where (t.ends_at + to_seconds(-86400)) <= cast($1 as timestamp)",
    );
  });

  it("escapes nothing of the SQL, and keeps every line where it was", () => {
    const sql = `select '<b>&"' as a,\n{{#if true}}\n  "x" as b,\n{{/if}}\n{{!-- a note\nof two lines --}}\n{{as_of}} as occurred_at`;
    const lines = rendered(sql).sql.split("\n");
    expect(lines[0]).toBe(`select '<b>&"' as a,`);
    expect(lines.findIndex((line) => line.includes(`"x" as b`))).toBe(2);
    expect(lines.at(-1)).toBe("cast($1 as timestamp) as occurred_at");
  });

  it("binds nothing in comments, which the warehouse would refuse, but in texts that look like one", () => {
    const query = rendered(
      `select 1 -- since {{ago "1 day"}}\n/* {{var "plan"}}\n{{as_of}} */ + '--' || {{var "least"}} -- it's {{var "beta"}}\n, "/*", {{as_of}}`,
    );
    expect(query.params).toEqual(["10", AS_OF]);
    expect(query.sql).toBe(`select 1 -- since ago\n/* var\nas_of */ + '--' || cast($1 as bigint) -- it's var\n, "/*", cast($2 as timestamp)`);
  });

  it.each([
    ["select 1;", "select 1"],
    ["select 1 ;\n\n", "select 1 \n\n"],
    ["select 1; -- all carts\n", "select 1 -- all carts\n"],
    ["select 1; -- all carts", "select 1 -- all carts"],
    ["select 1; /* end */", "select 1 /* end */"],
    ["select 1;;", "select 1"],
    ["select 1; -- it's\n;", "select 1 -- it's\n"],
    ['select 1; /* it\'s; */ ; -- "so"', 'select 1 /* it\'s; */  -- "so"'],
    ["select 1; /* one /* in; */ another; */", "select 1 /* one /* in; */ another; */"],
    ["select $$it's;$$;", "select $$it's;$$"],
    ["select e'it\\'s;';", "select e'it\\'s;'"],
    ["select $a$;$$;$a$", "select $a$;$$;$a$"],
    ["select ';--'", "select ';--'"],
    ["select ';\n'", "select ';\n'"],
    ["select 1; select 2", "select 1; select 2"],
  ])("leaves out the semicolon at the end: %j", (sql, expected) => {
    expect(rendered(sql).sql).toBe(expected);
  });
});

describe("what is wrong, at its own place", () => {
  const at = { file: "segments/cart.sql", line: QUERY_LINE + 1 };

  it.each([
    [`select 1\n  , {{agoo "7 days"}}`, { ...at, column: 7, message: "SQL files know no {{agoo}}.", hint: 'Did you mean "ago"?' }],
    [`select 1\n  , {{as_off}}`, { ...at, column: 7, message: "SQL files know no {{as_off}}.", hint: 'Did you mean "as_of"?' }],
    [
      `select 1\n  , {{customer}}`,
      {
        ...at,
        message: "SQL files know no {{customer}}.",
        hint: "There are {{as_of}}, {{ago}}, {{before}}, {{source}}, {{var}} and {{audience}}: as_of, ago, before, source, var.",
      },
    ],
    [`select *\nfrom {{source "cart"}}`, { ...at, column: 6, message: 'There is no source "cart".', hint: 'Did you mean "carts"?' }],
    [`select *\nfrom {{source "users_of_the_shop"}}`, { ...at, column: 6, hint: "There are sources in opportune.yml: carts, orders." }],
    [`select\n {{var "leest"}}`, { ...at, column: 2, message: 'There is no var "leest".', hint: 'Did you mean "least"?' }],
    [`select\n {{ago "7 dayz"}}`, { ...at, column: 2, message: '{{ago}} takes a duration, not "7 dayz".' }],
    [`select\n {{ago}}`, { ...at, column: 2, message: '{{ago}} takes a duration, not "".' }],
    [`select\n {{source}}`, { ...at, column: 2, message: 'There is no source "".' }],
    [`select\n {{#agoo "7 days"}}x{{/agoo}}`, { ...at, message: "SQL files know no {{agoo}}.", hint: 'Did you mean "ago"?' }],
    [`select\n {{ago 7}}`, { ...at, column: 2, message: "{{ago}} takes a duration, not 7." }],
    [`select\n {{before "ends_at"}}`, { ...at, column: 2, message: "{{before}} takes a column and a duration." }],
    [`select\n {{before "ends_at" "1 dya"}}`, { ...at, column: 2, message: '{{before}} takes a duration, not "1 dya".' }],
    [`select\n {{before "" "1 day"}}`, { ...at, column: 2, message: "{{before}} takes a column and a duration." }],
    ["select\n {{#if}", { ...at, code: "segment/template" }],
    [`select\n {{> cart}}`, { file: "segments/cart.sql", code: "segment/template" }],
  ])("%j", (sql, expected) => {
    expect(problem(sql)).toMatchObject(expected);
  });

  it("says that there are none yet", () => {
    expect(problem(`{{var "x"}}`, { ...project, vars: {} })).toMatchObject({ hint: "There are vars in opportune.yml: none yet." });
  });

  it.each(["__proto__", "constructor", "toString"])("knows no var and no source %s", (name) => {
    expect(problem(`{{var "${name}"}}`)).toMatchObject({ message: `There is no var "${name}".` });
    expect(problem(`{{source "${name}"}}`)).toMatchObject({ message: `There is no source "${name}".` });
  });
});
