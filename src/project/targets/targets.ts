/** The warehouses that a target of opportune.yml can be. */
import * as z from "zod";
import { bigquery, schema as bigquerySchema, type BigQueryConnection } from "./bigquery.js";
import { duckdb, schema as duckdbSchema, type DuckDbConnection } from "./duckdb.js";
import type { WarehouseType } from "../../core/warehouses.js";
import { postgres, schema as postgresSchema, type PostgresConnection } from "./postgres.js";
import { snowflake, schema as snowflakeSchema, type SnowflakeConnection } from "./snowflake.js";
import type { TargetType } from "./target.js";

export type Connection = DuckDbConnection | PostgresConnection | SnowflakeConnection | BigQueryConnection;

const TYPES: Record<WarehouseType, unknown> = { duckdb, postgres, snowflake, bigquery };

export const targetSchema = z.discriminatedUnion("type", [duckdbSchema, postgresSchema, snowflakeSchema, bigquerySchema]);

export type WrittenTarget = z.output<typeof targetSchema>;

/** What a type says of its own targets and connections, and of no other's: TypeScript can't tell that the two belong together. */
export function typeOf(type: WarehouseType): TargetType<WrittenTarget, Connection> {
  return TYPES[type] as TargetType<WrittenTarget, Connection>;
}

/** Where a target's data is, in a few words and without secrets. */
export function connectionName(connection: Connection): string {
  return typeOf(connection.type).name(connection);
}

/** The command that brings the packages through which a warehouse is reached. */
export function installation(type: WarehouseType): string {
  return `npm install ${typeOf(type).packages.join(" ")}`;
}
