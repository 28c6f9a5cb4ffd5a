import { afterAll, beforeAll, expect, it } from "vitest";
import { WarehouseError } from "../../../src/warehouse/error.js";
import { openPostgres } from "../../../src/warehouse/postgres/warehouse.js";
import type { Row, Statement, Warehouse } from "../../../src/warehouse/types.js";
import { createDatabase } from "../../support/postgres.js";
import { plain, rejection } from "../support.js";

let database: Awaited<ReturnType<typeof createDatabase>>;
let warehouse: Warehouse;

beforeAll(async () => {
  database = await createDatabase();
  warehouse = await openPostgres(database.connection, { root: "." });
});

afterAll(async () => {
  await warehouse.close();
  await database.drop();
});

/** A statement of ours over a user's query. */
function over(apart: Statement, select: string): Promise<Row[]> {
  return warehouse.query({ sql: `select ${select} from ${warehouse.dialect.workTable("query")} order by 1`, params: [], ours: true, apart });
}

it("tells texts apart by bytes, whatever collation the user's column has", async () => {
  await warehouse.execute(plain(`create collation anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`));
  await warehouse.execute(plain(`create table people (id text collate anycase, other text)`));
  await warehouse.execute(plain(`insert into people values ('ada', 'b'), ('ADA', 'B'), ('Zoe', 'c')`));
  expect(await over(plain("select id from people"), "distinct id, id like 'a%' as small")).toEqual([
    { id: "ADA", small: false },
    { id: "Zoe", small: false },
    { id: "ada", small: true },
  ]);
  // Two collations of which neither goes before the other.
  expect(await over(plain(`select coalesce(id, other collate "de-x-icu") as id from people where other = 'c'`), "id")).toEqual([{ id: "Zoe" }]);
});

it("takes what no table can hold, and values that the query binds", async () => {
  const apart = { sql: "select row(1, 'x') as pair, array[row(1)] as pairs, cast($1 as text) as said -- all", params: ["hello"] };
  expect(await over(apart, "cast(pair as text) as pair, cast(pairs as text) as pairs, said")).toEqual([
    { pair: '{"f1":1,"f2":"x"}', pairs: '[{"f1":1}]', said: "hello" },
  ]);
  expect(await over(apart, "said")).toEqual([{ said: "hello" }]);
});

it("names the lines of the user's query alone", async () => {
  const theirs = await rejection(over(plain("select 1 as a,\n  1 / (a - a) as b\nfrom (select 1 as a) x,\n  nowhere"), "a"));
  expect(theirs).toMatchObject({ reason: 'relation "nowhere" does not exist', statementLine: 4 });
  const ours = await rejection(over(plain("select 'x' as a"), "\n\ncast(a as integer), missing"));
  expect(ours).toBeInstanceOf(WarehouseError);
  expect(ours).toMatchObject({ statementLine: null });
});
