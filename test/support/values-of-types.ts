/** A value of every column type of each warehouse, for docs/values.md. */
import type { WarehouseName } from "./databases.js";

export interface Shown {
  /** Types that templates treat alike. */
  types: readonly string[];
  /** As the page shows it, and what is cast to the type where `sql` is not given. */
  value: string;
  /** `TYPE` stands for the type. */
  sql?: string;
}

interface Values {
  /** Statements that come first. */
  define?: readonly string[];
  rows: readonly Shown[];
}

const row = (types: string, value: string, sql?: string): Shown => ({ types: types.split("; "), value, ...(sql === undefined ? {} : { sql }) });
const AT = "2026-12-24 22:30:00";

export const VALUES: Readonly<Record<WarehouseName, Values>> = {
  duckdb: {
    define: ["create type mood as enum ('glad', 'sad')"],
    rows: [
      row("TINYINT; SMALLINT; INTEGER; BIGINT; HUGEINT; UTINYINT; USMALLINT; UINTEGER; UBIGINT; UHUGEINT; BIGNUM", "42"),
      row("TINYINT; SMALLINT; INTEGER; BIGINT; HUGEINT; UTINYINT; USMALLINT; UINTEGER; UBIGINT; UHUGEINT; BIGNUM", "0"),
      row("BIGINT; HUGEINT; UHUGEINT", "9007199254740993"),
      row("DECIMAL(10,2)", "1234.50"),
      row("DECIMAL(10,2)", "0.00"),
      row("FLOAT; DOUBLE", "1234.5"),
      row("FLOAT; DOUBLE", "0"),
      row("FLOAT; DOUBLE", "NaN"),
      row("BOOLEAN", "true"),
      row("BOOLEAN", "false"),
      row("VARCHAR", "Mug"),
      row("VARCHAR", "0"),
      row("VARCHAR", "1234.50"),
      row("VARCHAR", "2026-12-24"),
      row("VARCHAR", AT),
      row("VARCHAR", "(empty)", "''"),
      row("mood", "glad"),
      row("UUID", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380001"),
      row("DATE", "2026-12-24"),
      row("DATE", "infinity"),
      row("TIMESTAMP; TIMESTAMP_S; TIMESTAMP_MS; TIMESTAMP_NS; TIMESTAMPTZ", AT),
      row("TIMESTAMP; TIMESTAMPTZ", "infinity"),
      row("TIME; TIME_NS", "22:30:00"),
      row("TIMETZ", "22:30:00+00"),
      row("INTERVAL", "1 day"),
      row("BLOB", "a\\xDE"),
      row("BIT", "0101"),
      row("GEOMETRY", "POINT (1 2)"),
      row("JSON", '["Mug", 1.5]'),
      row("JSON", '{"name": "Mug"}'),
      row("JSON", '"2026-12-24"'),
      row("VARIANT", "['Mug', 'Pen']", "cast(['Mug', 'Pen'] as VARIANT)"),
      row("VARCHAR[]; VARCHAR[2]", "['Mug', 'Pen']"),
      row("VARCHAR[]", "[]"),
      row("DECIMAL(10,2)[]", "[1.50, 0.00]"),
      row("DATE[]", "[2026-12-24]"),
      row("STRUCT(name VARCHAR, price DECIMAL(10,2))", "{'name': 'Mug', 'price': 1.50}"),
      row("MAP(VARCHAR, INTEGER)", "{Mug=1}"),
      row("UNION(num INTEGER, str VARCHAR)", "1"),
      row("DATE", "null", "cast(null as TYPE)"),
    ],
  },
  postgres: {
    define: ["create type mood as enum ('glad', 'sad')", "create type item as (name text, price numeric)"],
    rows: [
      row("smallint; integer; bigint; numeric; oid", "42"),
      row("smallint; integer; bigint; numeric; oid", "0"),
      row("bigint; numeric", "9007199254740993"),
      row("numeric(10,2); money", "1234.50"),
      row("numeric(10,2); money", "0.00"),
      row("numeric; real; double precision", "NaN"),
      row("real; double precision", "1234.5"),
      row("real; double precision", "0"),
      row("boolean", "true"),
      row("boolean", "false"),
      row("text; varchar(9); name", "Mug"),
      row("char(5)", "Mug"),
      row("text", "0"),
      row("mood", "glad"),
      row("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380001"),
      row("inet; cidr", "10.0.0.0/8"),
      row("macaddr", "08:00:2b:01:02:03"),
      row("date", "2026-12-24"),
      row("date; timestamp; timestamptz", "infinity"),
      row("timestamp; timestamptz", AT),
      row("time", "22:30:00"),
      row("timetz", "22:30:00+00"),
      row("interval", "1 day"),
      row("bytea", "\\x4d7567"),
      row("bit(4); bit varying", "0101"),
      row("json; jsonb", '["Mug", 1.50]'),
      row("json; jsonb", '{"name": "Mug"}'),
      row("text[]; varchar[]", "{Mug,Pen}"),
      row("text[]", "{}"),
      row("numeric[]", "{1.50,0.00}"),
      row("date[]", "{2026-12-24}"),
      row("item", "(Mug,1.50)"),
      row("record", "(1,Mug)", "row(1, 'Mug')"),
      row("int4range", "[1,5)"),
      row("point", "(1,2)"),
      row("tsvector", "'mug':1 'pen':2", "to_tsvector('simple', 'mug pen')"),
      row("date", "null", "cast(null as TYPE)"),
    ],
  },
  snowflake: {
    rows: [
      row("NUMBER(38,0); INTEGER; BIGINT", "42"),
      row("NUMBER(38,0); INTEGER; BIGINT", "0"),
      row("NUMBER(38,0)", "9007199254740993"),
      row("NUMBER(10,2)", "1234.50"),
      row("NUMBER(10,2)", "0.00"),
      row("FLOAT; DOUBLE", "1234.5"),
      row("FLOAT; DOUBLE", "0"),
      row("BOOLEAN", "true"),
      row("BOOLEAN", "false"),
      row("VARCHAR; TEXT; CHAR(3)", "Mug"),
      row("VARCHAR", "0"),
      row("DATE", "2026-12-24"),
      row("TIMESTAMP_NTZ; TIMESTAMP_LTZ; TIMESTAMP_TZ", AT),
      row("TIME", "22:30:00"),
      row("BINARY", "4D7567", "to_binary('4D7567', 'HEX')"),
      row("VARIANT", '["Mug", 1.5]', `parse_json('["Mug", 1.5]')`),
      row("VARIANT", '"Mug"', `parse_json('"Mug"')`),
      row("ARRAY", '["Mug", "Pen"]', "array_construct('Mug', 'Pen')"),
      row("OBJECT", '{"name": "Mug"}', "object_construct('name', 'Mug')"),
      row("DATE", "null", "cast(null as TYPE)"),
    ],
  },
  bigquery: {
    rows: [
      row("INT64; NUMERIC; BIGNUMERIC", "42"),
      row("INT64; NUMERIC; BIGNUMERIC", "0"),
      row("INT64; NUMERIC", "9007199254740993"),
      row("NUMERIC; BIGNUMERIC", "1234.5"),
      row("FLOAT64", "1234.5"),
      row("FLOAT64", "0"),
      row("BOOL", "true"),
      row("BOOL", "false"),
      row("STRING", "Mug"),
      row("STRING", "0"),
      row("DATE", "2026-12-24"),
      row("DATETIME; TIMESTAMP", AT),
      row("TIME", "22:30:00"),
      row("BYTES", "Mug", "b'Mug'"),
      row("JSON", '["Mug", 1.5]', `parse_json('["Mug", 1.5]')`),
      row("JSON", '{"name": "Mug"}', `parse_json('{"name": "Mug"}')`),
      row("ARRAY<STRING>", "['Mug', 'Pen']", "['Mug', 'Pen']"),
      row("ARRAY<DATE>", "[2026-12-24]", "[date '2026-12-24']"),
      row("STRUCT<name STRING, price NUMERIC>", "('Mug', 1.5)", "struct('Mug' as name, numeric '1.5' as price)"),
      row("DATE", "null", "cast(null as TYPE)"),
    ],
  },
};
