/** What can only be wrong is told when a segment is compiled, with the template's line, the column's type and the way out. */
import { describe, expect, it } from "vitest";
import { compileProblems, projectWith, stage, warehouseWith } from "./support.js";

const OWN = "'u1' as user_id, 'ada@example.com' as email, timestamp '2026-03-02 10:00:00' as occurred_at";
const STEP = "steps: [{name: nudge, channel: email, template: cart}]";
const files = (body: string): Record<string, string> => ({ "templates/cart.hbs": `---\nsubject: S\nlayout: none\n---\n<p>${body}</p>\n` });
const problemsOf = async (sql: string, body: string, front = STEP) =>
  compileProblems(projectWith(`select ${OWN}, ${sql}`, front, files(body)), await warehouseWith());

describe("a column's type", () => {
  it.each([
    ["true as v", "{{date v}}", "{{date v}} wants a day or a time", "BOOLEAN", "Cast it to a date or a timestamp in the query."],
    [
      "1700000000 as v",
      '{{date v "time"}}',
      "{{date v}} wants a time",
      "INTEGER",
      "Cast it to a timestamp in the query. A bare null is an INTEGER to DuckDB: cast it too.",
    ],
    ["time '10:00' as v", '{{date v "time"}}', "{{date v}} wants a time", "TIME", "Cast it to a timestamp in the query."],
    ["date '2026-12-24' as v", '{{date v "datetime"}}', "{{date v}} wants a time", "DATE", 'Use a style of days, such as "long".'],
    ["date '2026-12-24' as v", '{{money v "EUR"}}', "{{money v}} wants a number", "DATE", "Return a number from the query."],
    ["1 as v", '{{default (money 1 v) "x"}}', "{{money v}} wants a currency's code", "INTEGER", "Return a code such as EUR from the query."],
    ["true as v", "{{number v 1}}", "{{number v}} wants a number", "BOOLEAN", "Return a number from the query."],
    ["date '2026-12-24' as v", "{{#if (gt v as_of)}}x{{/if}}", "{{gt v}} wants a number", "DATE", "Return a number from the query."],
    [
      "5 as v",
      "{{#each v}}x{{/each}}",
      "{{#each v}} wants a list",
      "INTEGER",
      "Return a list from the query. A bare null is an INTEGER to DuckDB: cast it too.",
    ],
    ["'[]' as v", "{{join v}}", "{{join v}} wants a list", "VARCHAR", "Cast it to json in the query: cast(v as json) as v."],
    ["{a: 1} as v", "{{join v}}", "{{join v}} wants a list", "STRUCT(a INTEGER)", "Return a list from the query."],
    ["[1] as v", "{{v}}", "{{v}} wants one value", "INTEGER[]", "Use {{#each v}} or {{join v}}."],
    ["{a: 1} as v", "{{upper v}}", "{{upper v}} wants one value", "STRUCT(a INTEGER)", "Name one of its fields: {{v.field}}."],
    ["5 as v", "{{v.amount}}", "{{v.amount}} wants an object", "INTEGER", "Write {{v}}, or return an object from the query."],
    ["true as v", '{{date (default v "2026-01-01")}}', "{{date v}} wants a day or a time", "BOOLEAN", "Cast it to a date or a timestamp in the query."],
    ["true as v", "{{#each (default v v)}}{{date ../v}}{{/each}}", "{{#each v}} wants a list", "BOOLEAN", "Return a list from the query."],
  ])("%s is not for %s", async (sql, body, wants, type, hint) => {
    const [problem] = await problemsOf(sql, body);
    expect(problem).toEqual({
      code: "template/type",
      message: `${wants}; segment cart (segments/cart.sql) returns v as ${type}.`,
      hint,
      file: "templates/cart.hbs",
      line: 5,
      column: expect.any(Number) as number,
    });
  });

  it("is looked up through a partial's arguments, in the subject and in because", async () => {
    const project = projectWith(`select ${OWN}, true as paid`, `${STEP}\nbecause: "Since {{date paid}}"`, {
      "templates/partials/when.hbs": "{{date at}}",
      "templates/cart.hbs": "---\nsubject: \"{{money paid 'EUR'}}\"\nlayout: none\n---\n<p>{{> when at=paid}}</p>\n",
    });
    const found = await compileProblems(project, await warehouseWith());
    expect(found.map(({ message, file, line }) => `${String(file)}:${String(line)} ${message.replace(/;.*/, "")}`)).toEqual([
      "templates/cart.hbs:2 {{money paid}} wants a number",
      "templates/cart.hbs:5 {{date paid}} wants a day or a time",
      "segments/cart.sql:4 {{date paid}} wants a day or a time",
    ]);
  });

  it("says nothing where a row may be right", async () => {
    const columns = `'5' as text, '[1]'::json as json, [1] as list, {a: date '2026-12-24'} as one, 5::decimal(5,2) as n, date '2026-12-24' as day, occurred_at as at`;
    const body = `{{text}}{{date text}}{{money text text}}{{#each json}}{{this}}{{/each}}{{json}}{{number json}}{{join list}}{{list.length}}{{list.[0]}}
{{#each list}}{{date this}}{{/each}}{{date one.a}}{{#each one}}{{this}}{{/each}}{{#if one}}{{/if}}{{#with one}}{{a}}{{/with}}{{plural n "a" "b"}}{{n}}{{url n}}
{{date day "full"}}{{upper day}}{{date at "time"}}{{text.length}}{{default day "x"}}{{#if (eq day "2026-12-24")}}{{/if}}`;
    await stage(projectWith(`select ${columns}, * from (select ${OWN}) x`, STEP, files(body)), await warehouseWith());
  });
});

describe("a column whose name every message has", () => {
  it.each(["step", "variant", "segment", "topic", "project", "key", "because", "message_id", "as_of", "unsubscribe_url"])(
    "is refused where the template says {{%s}}",
    async (name) => {
      for (const written of [name, `this.${name}`, `@root.${name}`])
        expect(await problemsOf(`'mine' as "${name}"`, `<b title="{{${written}}}"></b>`)).toEqual([
          {
            code: "template/hidden-column",
            message: `{{${name}}} is a name that Opportune gives to every message: it hides column ${name} of segment cart (segments/cart.sql).`,
            hint: `Return the column under another name, or not at all, e.g. ${name} as cart_${name}.`,
            file: "templates/cart.hbs",
            line: 5,
            column: 16,
          },
        ]);
    },
  );

  it("is nobody's business where no template says it, and where it is the row's own", async () => {
    const body = "{{user_id}}{{occurred_at}}{{timezone}}{{locale}}{{key}}";
    const query = `select ${OWN}, 'UTC' as timezone, 'de' as locale, 'K-17' as key, 'billing' as step`;
    await stage(projectWith(query, `${STEP}\nkey: key`, files(body)), await warehouseWith());
  });
});
