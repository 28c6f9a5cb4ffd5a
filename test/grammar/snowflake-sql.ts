/** A parser of Snowflake's SQL, of a library that translates between warehouses: grammar, and the names of tables and columns. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { shapeOf, type Catalog, type CatalogColumn, type Fault, type Grammar, type Verdict } from "./grammar.js";

/** What of the package is used; it is not installed where types are checked. */
interface Polyglot {
  parse(sql: string, dialect: string): { success: boolean; ast: unknown; error?: string; errorLine?: number };
  validateWithSchema(sql: string, schema: object, dialect: string, options: object): { errors: { message: string; severity: string }[] };
}

export async function loadSnowflakeSql(folder: string): Promise<SnowflakeSql> {
  return new SnowflakeSql((await import(pathToFileURL(join(folder, "@polyglot-sql/sdk/dist/index.node.js")).href)) as Polyglot);
}

export class SnowflakeSql implements Grammar {
  readonly #polyglot: Polyglot;
  readonly #verdicts = new Map<string, Verdict>();

  constructor(polyglot: Polyglot) {
    this.#polyglot = polyglot;
  }

  typeOf(duckDbType: string): object {
    return { type: duckDbType };
  }

  check(sql: string, _params: unknown, catalog: Catalog): Promise<Verdict> {
    const named = [...catalog].filter(([table]) => sql.toLowerCase().includes(table.split(".").at(-1) ?? ""));
    const key = JSON.stringify([shapeOf(sql), named]);
    let verdict = this.#verdicts.get(key);
    if (verdict === undefined) this.#verdicts.set(key, (verdict = this.#check(sql, catalog)));
    return Promise.resolve(verdict);
  }

  #check(sql: string, catalog: Catalog): Verdict {
    const { success, ast, error, errorLine } = this.#polyglot.parse(sql, "snowflake");
    if (!success) return { fault: { message: error ?? "can't be read", line: errorLine ?? 1 }, change: null };
    const [root = {}] = ast as Root[];
    const [kind = "nothing"] = Object.keys(root);
    if (!STATEMENTS.test(kind)) return { fault: { message: `This is no statement of the job's: ${kind}`, line: 1 }, change: null };
    return { fault: filterOf(ast, sql) ?? this.#wrongName(sql, catalog), change: changeOf(root) };
  }

  #wrongName(sql: string, catalog: Catalog): Fault | null {
    const tables = [...catalog, ...INFORMATION_SCHEMA].map(([table, columns]) => {
      const [name = "", schema] = table.split(".").reverse();
      return { name, ...(schema === undefined ? {} : { schema }), columns: columns.map(({ name: column, type }) => ({ name: column, ...type })) };
    });
    const fault = this.#polyglot.validateWithSchema(sql, { tables }, "snowflake", { strict: true }).errors.find(({ severity }) => severity === "error");
    if (fault === undefined) return null;
    // It says what, and not where.
    const name = /'([^']+)'/.exec(fault.message)?.[1]?.split(".").at(-1) ?? "";
    return { message: fault.message, line: lineWith(sql, new RegExp(`\\b${name}\\b`, "i")) };
  }
}

/** Of what the job asks of it. */
const INFORMATION_SCHEMA: Catalog = new Map([
  ["information_schema.tables", ["table_schema", "table_name"].map((name) => ({ name, type: { type: "varchar" } }))],
  ["information_schema.databases", ["database_name", "created"].map((name) => ({ name, type: { type: "varchar" } }))],
]);

function lineWith(sql: string, pattern: RegExp): number {
  return (
    Math.max(
      0,
      sql.split("\n").findIndex((line) => pattern.test(line.replace(/--.*/, ""))),
    ) + 1
  );
}

/** The parser reads FILTER for all warehouses; Snowflake has none: https://docs.snowflake.com/en/sql-reference/functions-aggregation */
function filterOf(ast: unknown, sql: string): Fault | null {
  if (!JSON.stringify(ast).includes('"filter":{')) return null;
  return { message: "Snowflake's aggregates take no FILTER", line: lineWith(sql, /\bfilter\s*\(/i) };
}

/** A name as the parser gives it: our own are quoted, in capitals. */
interface Name {
  name: string;
}

interface Relation {
  name: Name;
  schema: Name | null;
}

interface Defined {
  name: Name;
  data_type: { data_type: string; name?: string };
}

interface Query {
  select?: { expressions: { alias?: { alias: Name }; column?: { name: Name } }[] };
  union?: { left: Query };
}

/** The statements that the job has any use for; whatever else it can't read, the parser takes for a command or an expression. */
interface Root {
  create_table?: { name: Relation; columns: Defined[]; as_select?: Query | null };
  create_view?: { name: Relation; query: Query };
  alter_table?: { name: Relation; actions: { AddColumn?: { column: Defined } }[] };
  drop_table?: { names?: Relation[] };
  drop_view?: { name: Relation };
}

const STATEMENTS =
  /^(?:select|union|insert|update|delete|merge|truncate|create_(?:table|view|schema)|alter_(?:table|session)|drop_(?:table|view)|transaction|commit|rollback)$/;

/** What a definition does to the catalog. */
function changeOf(root: Root): Verdict["change"] {
  const named = ({ name, schema }: Relation): string => [...(schema === null ? [] : [schema.name]), name.name].join(".").toLowerCase();
  const { create_table: table, create_view: view, alter_table: altered, drop_view: dropped } = root;
  const query = table?.as_select ?? view?.query;
  if (table !== undefined && query === undefined) return { table: named(table.name), columns: table.columns.map(columnOf), does: "define" };
  const defined = table ?? view;
  if (defined !== undefined) return { table: named(defined.name), columns: query === undefined ? [] : outputOf(query), does: "define" };
  if (dropped !== undefined) return { table: named(dropped.name), columns: [], does: "drop" };
  if (altered === undefined) return null;
  const added = altered.actions.flatMap(({ AddColumn: add }) => (add === undefined ? [] : [columnOf(add.column)]));
  return { table: named(altered.name), columns: added, does: "widen" };
}

function columnOf({ name, data_type: type }: Defined): CatalogColumn {
  return { name: name.name, type: { type: TYPES[type.data_type] ?? "varchar" } };
}

/** As the parser calls the types of the dialect's own words. */
const TYPES: Record<string, string> = { var_char: "varchar", big_int: "bigint", boolean: "boolean", custom: "timestamp" };

/** The columns of a query by name; of what type they are is not asked. */
function outputOf({ select, union }: Query): CatalogColumn[] {
  if (union !== undefined) return outputOf(union.left);
  return (select?.expressions ?? []).flatMap(({ alias, column }) => {
    const name = alias?.alias ?? column?.name;
    return name === undefined ? [] : [{ name: name.name, type: { type: "unknown" } }];
  });
}
