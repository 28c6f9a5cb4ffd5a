/** The same user with an id of one type in a segment and of another in an audience that it excludes: left out, or refused. */
import { expect } from "vitest";
import type { WarehouseName } from "./databases.js";
import { Shop, T0 } from "./run-shop.js";

/** Types by what they are for; BigQuery and Snowflake have no UUIDs, and padded text on Postgres alone. */
const TYPES = {
  duckdb: { big: "bigint", small: "integer", places: "decimal(10, 2)", text: "varchar", padded: "varchar", uuid: "uuid", float: "double" },
  postgres: { big: "bigint", small: "integer", places: "numeric(10, 2)", text: "text", padded: "char(40)", uuid: "uuid", float: "double precision" },
  snowflake: { big: "number(38, 0)", small: "integer", places: "number(10, 2)", text: "varchar", padded: "varchar", uuid: "varchar", float: "float" },
  bigquery: { big: "int64", small: "int64", places: "numeric", text: "string", padded: "string", uuid: "string", float: "float64" },
} as const satisfies Record<WarehouseName, Record<string, string>>;

type Type = keyof (typeof TYPES)["duckdb"] | "date" | "boolean";
/** A type, and how the excluded user's id is written in it. */
type Side = readonly [type: Type, written: string];

const UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";

/** Two types in which the excluded user is the same one. */
const SAME: Readonly<Record<string, readonly [Side, Side]>> = {
  big_and_small: [
    ["big", "7"],
    ["small", "7"],
  ],
  big_and_places: [
    ["big", "7"],
    ["places", "7.00"],
  ],
  text_and_big: [
    ["text", "'7'"],
    ["big", "7"],
  ],
  places_and_text: [
    ["places", "7"],
    ["text", "' 7.0 '"],
  ],
  padded_and_text: [
    ["padded", "'ada '"],
    ["text", "'ada'"],
  ],
  uuid_and_text: [
    ["uuid", `'${UUID}'`],
    ["text", `'${UUID.toUpperCase()}'`],
  ],
};
/** Two types that can't be made the same. */
const OTHER: Readonly<Record<string, readonly [Side, Side]>> = {
  big_and_float: [
    ["big", "7"],
    ["float", "7"],
  ],
  text_and_date: [
    ["text", "'2026-03-02'"],
    ["date", "'2026-03-02'"],
  ],
  text_and_boolean: [
    ["text", "'true'"],
    ["boolean", "true"],
  ],
};

/** The number of pairs that the story plays, each way round. */
export const PAIRS = { same: Object.keys(SAME).length, other: Object.keys(OTHER).length };

export async function idPairsStory(on: WarehouseName): Promise<void> {
  const shop = await Shop.open({ on });
  const idOf = ([type, written]: Side): string => `cast(${written} as ${type === "date" || type === "boolean" ? type : TYPES[on][type]})`;
  const begin = (name: string, [mine, excluded]: readonly [Side, Side]): void => {
    const { quote } = on === "bigquery" ? { quote: "`" } : { quote: '"' };
    const email = `${quote}email${quote}`;
    // Beside the excluded user, one of another id, so that a silent segment isn't taken for a heeded exclusion.
    const other =
      mine[0] === "uuid"
        ? idOf(["uuid", `'${UUID.replace("a", "b")}'`])
        : mine[0] === "text" || mine[0] === "padded"
          ? idOf([mine[0], "'8'"])
          : idOf([mine[0], "8"]);
    const rows = [idOf(mine), other].map((id, i) => `select ${id} as user_id, 'u${String(i)}@example.com' as ${email}, {{ago "30 minutes"}} as occurred_at`);
    shop.write({
      [`segments/${name}.sql`]: `/*---\nstatus: live\nfirst_run: send\nclass: transactional\nexclude: [but_${name}]\nsteps: [{name: nudge, after: 10 minutes, channel: email, template: plain}]\n---*/\n${rows.join("\nunion all\n")}\n`,
      [`segments/audiences/but_${name}.sql`]: `select ${idOf(excluded)} as user_id\n`,
    });
  };
  shop.write({ "templates/plain.hbs": "---\nsubject: Hello\nlayout: none\n---\n<p>Hello</p>\n" });
  for (const [name, [one, two]] of Object.entries(SAME)) {
    begin(name, [one, two]);
    begin(`${name}_turned`, [two, one]);
  }
  const { decisions } = await shop.run(T0, { dryRun: true });
  const pairs = decisions.segments.filter(({ segment }) => segment !== "cart").map(({ segment, reasons }) => [segment, reasons]);
  expect(pairs).toHaveLength(2 * PAIRS.same);
  expect(pairs).toEqual(pairs.map(([segment]) => [segment, { excluded: 1, claimed: 1 }]));

  for (const [name, pair] of Object.entries(OTHER)) begin(name, pair);
  const { problems } = await shop.run(T0, { dryRun: true });
  expect(problems.map(({ code, file }) => [code, file])).toEqual(
    Object.keys(OTHER)
      .sort()
      .map((name) => ["segment/id-type", `segments/audiences/but_${name}.sql`]),
  );
  for (const { message } of problems)
    expect(message).toMatch(/^Audience but_\w+ returns user_id as .+, segment \w+ as .+\. Allowed are text, whole and exact numbers/);
}
