/** What a reader sees of a column: staged, stored, rendered. */
import { describe, expect, it } from "vitest";
import { messageOf, type Claim } from "../../src/run/claims.js";
import { numberColumns } from "../../src/segments/stage.js";
import { CLAIM } from "./claim.js";
import { AS_OF, compileProblems, projectWith, stage, stagedRows, warehouseWith } from "./support.js";

const OWN = "'u1' as user_id, 'ada@example.com' as email, timestamp '2026-03-02 10:00:00' as occurred_at";
const STEP = "steps: [{name: nudge, channel: email, template: cart}]";
const template = (body: string): Record<string, string> => ({ "templates/cart.hbs": `---\nsubject: S\nlayout: none\n---\n<p>${body}</p>\n` });

/** The text of the one row's email, or why there is none. */
async function written(columns: string, body: string, reader: Partial<Claim> = {}, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const warehouse = await warehouseWith();
  const project = projectWith(`select ${OWN}, ${columns}`, STEP, { ...template(body), ...files });
  const { compiled, renderer, segments } = await stage(project, warehouse);
  expect(segments.get("cart")).toMatchObject({ returned: 1, problem: null });
  const [row] = await stagedRows(warehouse, "properties");
  const claim = { ...CLAIM, ...reader, properties: String(row?.["properties"]) };
  const message = messageOf(claim, project, renderer, { runId: "r1", asOf: AS_OF, numbers: numberColumns(compiled), judged: true });
  return "invalid" in message ? message.invalid : String(message.text).replaceAll(/[\u00a0\u202f]/g, " ");
}

describe("a DATE", () => {
  const ends = "date '2026-12-24' as ends_on, [{day: date '2026-12-24'}] as days, {day: date '2026-12-24'} as one";

  it.each(["Pacific/Honolulu", "America/New_York", "UTC", "Asia/Kolkata", "Pacific/Auckland"])("is that day in %s", async (timezone) => {
    const body = '{{date ends_on "long"}}, {{#each days}}{{date this.day "long"}}{{/each}}, {{date one.day "full"}}, {{ends_on}}';
    expect(await written(ends, body, { timezone, locale: "en-US" })).toBe("December 24, 2026, December 24, 2026, Thursday, December 24, 2026, 2026-12-24");
  });

  it("has no time of day, nor has one in JSON", async () => {
    expect(await written('\'{"day": "2026-12-24"}\'::json as v', '{{date v.day "time"}}')).toBe(
      "templates/cart.hbs:5:4: date: a day has no time; use short, medium, long or full",
    );
  });

  it("of no year that a message can name is null, and so is a day that there is not", async () => {
    expect(await written("date 'infinity' as v", "{{default v 'open'}}")).toBe("open");
    expect(await written("date '0044-03-15 (BC)' as v", "{{v}}")).toMatch(/"v" is null$/);
    expect(await written("'2026-02-30' as v", "{{date v}}")).toMatch(/is not a date such as/);
    expect(await written("'2024-02-29' as v", "{{date v}}", { locale: "en-US" })).toBe("Feb 29, 2024");
  });
});

describe("zero of a column of numbers is a no", () => {
  it.each([
    "0",
    "0::tinyint",
    "0::bigint",
    "0::ubigint",
    "0::hugeint",
    "0::uhugeint",
    "0::decimal(10,2)",
    "0::decimal(38,10)",
    "-0.00::decimal(5,2)",
    "0::double",
    "'-0.0'::double",
    "0::float",
    "(select sum(x) from (values (0), (0)) v(x))",
    "(select sum(x) from (values (0.00), (0.00)) v(x))",
    "'0'::json",
    "'0E-9'::json",
  ])("%s", async (sql) => {
    const body = "{{#if v}}if{{/if}}{{#unless v}}unless{{/unless}} {{#if (and v 1)}}and{{/if}}{{#if (or v null)}}or{{/if}}{{#if (not v)}}not{{/if}}";
    expect(await written(`${sql} as v`, body)).toBe("unless not");
  });

  it.each(["0.01::decimal(10,2)", "100::decimal(10,2)", "170141183460469231731687303715884105727::hugeint", "'0'", "'0.00'"])("%s is a yes", async (sql) => {
    expect(await written(`${sql} as v`, "{{#if v}}yes{{/if}}")).toBe("yes");
  });

  it("and is written with its digits", async () => {
    const body = "{{v}} {{money v 'EUR' 'en-US'}} {{number v}} {{plural v 'one' 'many'}} {{#if (eq v 0)}}eq{{/if}}";
    expect(await written("0::decimal(10,2) as v", body)).toBe("0.00 €0.00 0 many eq");
    expect(await written("19.90::decimal(10,2) as v", "{{#with v}}{{this}}{{/with}} {{upper v}}")).toBe("19.90 19.90");
  });
});

it("numbers are compared by all of their digits", async () => {
  const body = "{{#if (eq v w)}}eq{{/if}}{{#if (gt v w)}}gt{{/if}}{{#if (lt v w)}}lt{{/if}} {{#if (eq v x)}}eq{{/if}}{{#if (gt u v)}}gt{{/if}}";
  const columns = (v: string, w: string, x: string): string => `${v}::decimal(38,4) as v, ${w}::decimal(38,2) as w, '${x}' as x, -1e-3 as u`;
  expect(await written(columns("12345678901234567.89", "12345678901234567.90", "1234567890123456789e-2"), body)).toBe("lt eq");
  expect(await written(columns("-12345678901234567.89", "-12345678901234567.9", "-12345678901234567.890"), body)).toBe("gt eqgt");
  expect(await written(columns("19.90", "19.9", "+19.9"), body)).toBe("eq eq");
});

describe("a list", () => {
  it("is not looked for in a text, neither by its type nor in what a row holds", async () => {
    const project = projectWith(`select ${OWN}, '[{"name":"Mug"}]' as items`, STEP, template("{{#each items}}{{this.name}}{{/each}}"));
    expect(await compileProblems(project, await warehouseWith())).toEqual([
      {
        code: "template/type",
        message: "{{#each items}} wants a list; segment cart (segments/cart.sql) returns items as VARCHAR.",
        hint: "Cast it to json in the query: cast(items as json) as items.",
        file: "templates/cart.hbs",
        line: 5,
        column: 12,
      },
    ]);
    expect(await written(`'"[]"'::json as items`, "{{#each items}}x{{/each}}")).toBe(
      "templates/cart.hbs:5:4: each: the text is not a list; cast it to json in the query",
    );
    expect(await written(`'[{"name":"Mug"},{"name":"Pen"}]'::json as items`, "{{#each items}}{{this.name}} {{/each}}")).toBe("Mug Pen");
    expect(await written("[]::varchar[] as items", "{{#if items}}some{{else}}none{{/if}}{{#each items}}x{{else}} at all{{/each}}")).toBe("none at all");
    expect(await written("null::json as items", "{{#each items}}x{{else}}none{{/each}}")).toBe("none");
    expect(await written("map {'a': 1.5} as v", "{{#each v}}{{@key}}={{this}}{{/each}}")).toBe("a=1.5");
  });
});

describe("a locale", () => {
  const yml = (locale: string): Record<string, string> => ({
    "opportune.yml": `name: shop\ntargets:\n  dev: {type: duckdb, path: ":memory:"}\nchannels:\n  email: {provider: outbox, from: "Shop <shop@example.com>"}\npolicy: {locale: ${locale}}\n`,
  });

  it.each([
    [null, "de-DE 1.234,50 CHF 24. Dezember 2026"],
    ["xx-YY", "de-DE 1.234,50 CHF 24. Dezember 2026"],
    ["english", "de-DE 1.234,50 CHF 24. Dezember 2026"],
    ["", "de-DE 1.234,50 CHF 24. Dezember 2026"],
    ["en_US", "en-US CHF 1,234.50 December 24, 2026"],
  ])("%j of a row", async (locale, expected) => {
    const body = '{{locale}} {{money v "CHF"}} {{date day "long"}}';
    expect(await written("1234.5 as v, date '2026-12-24' as day", body, { locale }, yml("de_DE"))).toBe(expected);
  });

  it("of the project is one that there is", () => {
    expect(() => projectWith(`select ${OWN}`, STEP, yml("english"))).toThrow('policy.locale is "english"; expected a locale such as en, de-CH or pt-BR');
  });
});

describe("what nobody may read", () => {
  it.each([
    ["'1e400'", "{{number v}}", /^templates\/cart\.hbs:5:4: number: the text is not a number$/],
    ["[null]::integer[]", "{{#each v}}{{this}}{{/each}}", /"this" is null$/],
    ["{a: 1}::json", "{{v}}", /"v" is an object/],
    ["'[1]'::json", "{{#if (eq v v)}}x{{/if}}", /eq: the list is not one value$/],
    ["[[1]]", "{{join v}}", /join: the list is not a text$/],
    ["'infinity'::timestamp", "{{v}}", /"v" is null$/],
  ])("%s as %s makes the message invalid", async (sql, body, reason) => {
    expect(await written(`${sql} as v`, body)).toMatch(reason);
  });
});
