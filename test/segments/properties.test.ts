/** What a column holds arrives in the template as it was. */
import { describe, expect, it } from "vitest";
import { messageOf, parseProperties, type Claim } from "../../src/run/claims.js";
import type { OutgoingMessage } from "../../src/delivery/types.js";
import { CLAIM } from "./claim.js";
import { projectWith, stage, stagedRows, warehouseWith } from "./support.js";

const OWN = "'u1' as user_id, 'ada@example.com' as email, timestamp '2026-03-02 10:00:00' as occurred_at";
const STEP = "steps: [{name: nudge, channel: email, template: cart}]";

/** The properties of the one row that a query with these columns stages. */
async function properties(columns: string, front = STEP, from = "properties"): Promise<Record<string, unknown>> {
  const warehouse = await warehouseWith();
  const { segments } = await stage(projectWith(`select ${OWN}, ${columns}`, front), warehouse);
  expect(segments.get("cart")).toMatchObject({ returned: 1, problem: null });
  const [row] = await stagedRows(warehouse, from);
  return parseProperties(String(row?.[from]));
}

describe("a column", () => {
  it.each([
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", "9007199254740993"],
    ["-9007199254740993", "-9007199254740993"],
    ["170141183460469231731687303715884105727::hugeint", "170141183460469231731687303715884105727"],
    ["12345678901234567.890::decimal(20,3)", "12345678901234567.890"],
    ["19.90::decimal(10,2)", "19.90"],
    ["0.1::double", 0.1],
    ["(0.1::double + 0.2::double)", 0.30000000000000004],
    ["1e300::double", 1e300],
    ["'nan'::double", null],
    ["'-infinity'::double", null],
    ["['nan'::double, 'infinity'::double, '-infinity'::double, 1]", [null, null, null, 1]],
    ["['NaN', 'Infinity \"-Infinity\\\\\"', null]", ["NaN", `Infinity "-Infinity\\\\"`, null]],
    ["{a: 'nan'::double, b: 'NaN, 1234567890123456'}", { a: null, b: "NaN, 1234567890123456" }],
    ["true", true],
    ["null", null],
    ["''", ""],
    ["date '2026-03-02'", "2026-03-02"],
    ["timestamp '2026-03-02 10:00:00.5'", "2026-03-02T10:00:00Z"],
    ["timestamptz '2026-03-02 10:00:00+02:00'", "2026-03-02T08:00:00Z"],
    ["time '10:30'", "10:30:00"],
    ["'b'::enum('a', 'b')", "b"],
    ["interval 90 minute", "01:30:00"],
    ['\'{"x": [1, {"y": null}]}\'::json', { x: [1, { y: null }] }],
    ["[1.50::decimal(10,2), 2]", [1.5, 2]],
    ["[12345678901234567.125::decimal(20,3), 1]", ["12345678901234567.125", 1]],
    ["[123456789012.12345678::decimal(20,8)]", ["123456789012.12345678"]],
    ["[9007199254740993, 1]", ["9007199254740993", 1]],
    ["[date '2026-03-02']", ["2026-03-02"]],
    [
      "[{sku: 'a b', qty: 2, tags: ['x', null]}, {sku: null, qty: null, tags: []}]",
      [
        { sku: "a b", qty: 2, tags: ["x", null] },
        { sku: null, qty: null, tags: [] },
      ],
    ],
    ["map {'a b': 1}", { "a b": 1 }],
    ["array_value(1, 2)", [1, 2]],
  ])("of %s", async (sql, expected) => {
    expect((await properties(`${sql} as value`))["value"]).toEqual(expected);
  });

  it("keeps its name, whatever is in it", async () => {
    const names = [`it's "quoted"`, "two words", "Größe €", "漢字", "TOTAL", "{{total}}", "a.b", "--", ");", "line\nbreak"];
    const given = await properties(
      names
        .map((name, i) => `${String(i)} as "${name.replaceAll('"', '""')}"`)
        .join(", ")
        .replace("{{total}}", "\\{{total}}"),
    );
    expect(given).toEqual({ email: "ada@example.com", ...Object.fromEntries(names.map((name, i) => [name, i])) });
  });

  it("of 10 MB arrives whole", async () => {
    const { value } = await properties(`repeat('0123456789abcdé ', 655360) as value`);
    expect(value).toBe("0123456789abcdé ".repeat(655_360));
  });

  it("of 256 KB in each of 300 rows takes little more memory than its bytes", async () => {
    const warehouse = await warehouseWith("set memory_limit = '300MB'");
    const query = `select 'u' || n as user_id, 'ada@example.com' as email, timestamp '2026-03-02 10:00:00' as occurred_at,
      repeat('"quoted"' || n, 25000) as value, null::json as json, time '10:30' as clock, 7.5::double as "i", date '2026-03-02' as seen, n as "opportune_slot"
      from range(100, 400) numbers(n)`;
    const { segments } = await stage(projectWith(query), warehouse);
    expect(segments.get("cart")).toMatchObject({ returned: 300, problem: null });
    const [row] = await stagedRows(warehouse, "properties");
    const { value, ...others } = parseProperties(String(row?.["properties"]));
    expect(value === '"quoted"100'.repeat(25_000)).toBe(true);
    // No column's name is taken for another's, the statement's own least of all.
    expect(others).toEqual({ email: "ada@example.com", json: null, clock: "10:30:00", i: 7.5, seen: "2026-03-02", opportune_slot: 100 });
  });

  it("is kept in the ledger by the name it is asked by, upper and lower case alike", async () => {
    expect(await properties("5 as Total, 'Pro' as plan, 1 as other", `${STEP}\nkeep_properties: [total, plan]`, "kept")).toEqual({ Total: 5, plan: "Pro" });
  });
});

describe("JSON that a row holds", () => {
  it.each([
    ['{"v": {"a": 1, "a": 2}}', { a: 2 }],
    ['{"v": {"a": 1, "a": 2, "n": 1234567890123456789}}', { a: 2, n: "1234567890123456789" }],
    ['{"v": [1e300, 1e400, -1e999, 12345678901234567890.5]}', [1e300, "1e400", "-1e999", "12345678901234567890.5"]],
    ['{"v": "NaN \\" 1234567890123456 Infinity \\\\", "w": NaN}', 'NaN " 1234567890123456 Infinity \\'],
    ['{"v": "\\ud800", "w": 1234567890123456789}', "\ud800"],
  ])("is read as it is meant: %s", (json, expected) => {
    expect(parseProperties(json)["v"]).toEqual(expected);
  });

  it("may be deep or long", () => {
    const deep = `${"[".repeat(50_000)}1234567890123456789${"]".repeat(50_000)}`;
    let value = parseProperties(`{"v": ${deep}}`)["v"];
    while (Array.isArray(value)) value = value[0];
    expect(value).toBe("1234567890123456789");
    expect(String(parseProperties(`{"v": "${'\\"'.repeat(5_000_000)}", "w": 1234567890123456789}`)["v"])).toHaveLength(5_000_000);
  });
});

describe("a value", () => {
  const ODD = `'; drop table carts; -- <script>alert("x")</script> {{total}} \\ \r\nBcc: eve@example.com\u2028 ü 漢 🙂 \u0000`;

  it("of SQL, HTML, Handlebars, line ends and other signs is what it was", async () => {
    const sql = ODD.split(/([\r\n\u0000])/)
      .map((part) =>
        part === "\r"
          ? "chr(13)"
          : part === "\n"
            ? "chr(10)"
            : part === "\u0000"
              ? "chr(0)"
              : `'${part.replaceAll("'", "''").replace("{{total}}", "\\{{total}}")}'`,
      )
      .join(" || ");
    expect((await properties(`${sql} as value`))["value"]).toBe(ODD);
  });

  it("is escaped in the mail, and breaks no header", async () => {
    const project = projectWith(`select ${OWN}, 1 as value`, STEP, {
      "templates/cart.hbs": '---\nsubject: "For {{value}}"\nlayout: none\n---\n<p title="{{value}}">{{value}}</p>\n',
    });
    const { renderer } = await stage(project, await warehouseWith());
    const claim: Claim = { ...CLAIM, properties: JSON.stringify({ value: ODD }) };
    const message = messageOf(claim, project, renderer, { runId: "r1", asOf: "2026-03-02T12:00:00Z", numbers: new Map(), judged: false }) as OutgoingMessage;
    expect(message.html).not.toContain("<script>");
    expect(message.html).toContain("&lt;script&gt;");
    expect(message.html).toContain("{{total}}");
    expect(message.subject).toContain(`For '; drop table carts; -- <script>alert("x")</script>`);
    expect(message.subject).not.toMatch(/[\u0000-\u001f\u007f\u2028\u2029]/);
  });

  it("that nothing can be made of costs its own message, and isn't quoted", async () => {
    const project = projectWith(`select ${OWN}`, STEP);
    const { renderer } = await stage(project, await warehouseWith());
    const of = (properties: string, renders = renderer): unknown =>
      messageOf({ ...CLAIM, properties }, project, renders, { runId: "r1", asOf: "2026-03-02T12:00:00Z", numbers: new Map(), judged: false });
    expect(of('{"value": ada@example.com}')).toEqual({ invalid: "the row's columns can't be read (SyntaxError)" });
    const fails = (): never => {
      throw new RangeError("ada@example.com");
    };
    expect(of("{}", { ...renderer, render: fails })).toEqual({ invalid: "the row's columns can't be read (RangeError)" });
  });
});
