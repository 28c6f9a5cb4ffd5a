/** A table of a DuckDB warehouse, copied into Postgres. */
import type { Warehouse } from "../../src/warehouse/types.js";

/** The column types of Postgres for those of the sample; lists become JSON, decimals keep their name. */
const TYPES: Readonly<Record<string, string>> = { VARCHAR: "text", TIMESTAMP: "timestamp", INTEGER: "integer", BIGINT: "bigint", BOOLEAN: "boolean" };

/** By way of a table of texts, which `append` can fill. `into`: a new table of schema public, or one that is there and is added to. */
export async function copyTable(from: Warehouse, name: string, to: Warehouse, into: string): Promise<void> {
  const execute = (sql: string): Promise<number> => to.execute({ sql, params: [] });
  const described = await from.describe({ sql: `select * from ${name}`, params: [] });
  const columns = described.map((column) => {
    const list = column.type.endsWith("]");
    return {
      name: column.name,
      text: `cast(${list ? `to_json(${column.name})` : column.name} as varchar) as ${column.name}`,
      typed: `cast(${column.name} as ${list ? "jsonb" : (TYPES[column.type] ?? column.type)}) as ${column.name}`,
    };
  });
  const rows = await from.query({ sql: `select ${columns.map(({ text }) => text).join(", ")} from ${name}`, params: [] });
  const values = columns.map((column) => ({ name: column.name, kind: "text" as const, values: rows.map((row) => row[column.name] as string | null) }));
  const typed = `select ${columns.map((column) => column.typed).join(", ")} from public.copied`;
  await execute(`create table public.copied (${columns.map((column) => `${column.name} text`).join(", ")})`);
  await to.append("public.copied", values);
  await execute(into.startsWith("public.") ? `create table ${into} as ${typed}` : `insert into ${into} (${columns.map((c) => c.name).join(", ")}) ${typed}`);
  await execute("drop table public.copied");
}
