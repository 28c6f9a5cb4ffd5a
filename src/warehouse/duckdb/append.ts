import type { DuckDBConnection, DuckDBType } from "@duckdb/node-api";
import type { AppendColumn } from "../types.js";
import { DuckDBDataChunk } from "./driver.js";
import { toDuckDbValues } from "./values.js";

/** Rows of one DuckDB data chunk at most: the engine's standard vector size. */
const CHUNK_ROWS = 2048;

/** Appends rows, given by columns of one length, to a table as the dialect writes its name. */
export async function appendTo(connection: DuckDBConnection, table: string, columns: readonly AppendColumn[]): Promise<void> {
  const [catalogOrSchema, name = ""] = table.split(".").map((part) => part.replaceAll('"', ""));
  const appender = await (catalogOrSchema === "opportune_work"
    ? connection.createAppender(name, null, catalogOrSchema)
    : connection.createAppender(name, catalogOrSchema));
  const types: DuckDBType[] = columns.map((_, i) => appender.columnType(i));
  const length = columns[0]?.values.length ?? 0;
  for (let start = 0; start < length; start += CHUNK_ROWS) {
    const chunk = DuckDBDataChunk.create(types, Math.min(CHUNK_ROWS, length - start));
    chunk.setColumns(columns.map((column) => toDuckDbValues(column, start, Math.min(start + CHUNK_ROWS, length))));
    appender.appendDataChunk(chunk);
  }
  appender.flushSync();
  appender.closeSync();
}
