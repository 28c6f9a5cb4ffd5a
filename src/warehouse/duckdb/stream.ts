/** A query's rows in batches, on a connection of their own. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { BATCH_BYTES, type Row, type Statement } from "../types.js";
import { brokeOff } from "./errors.js";
import type { DuckDbLimits } from "./memory.js";
import { toRow } from "./values.js";

/** The column that tells a stream's last row, which stands for no row of its query. */
const LAST_ROW = "opportune_last_row";

/**
 * Batches of at most `batchSize` rows, and of some BATCH_BYTES bytes. The client ends a result that breaks off, by an interruption
 * or for want of memory, as if it were whole: fetching a chunk gives null for both. So a last row is asked for, and missed.
 * @param guard turns DuckDB's errors into the project's
 */
export async function* streamed(
  connection: DuckDBConnection,
  { sql, params }: Statement,
  batchSize: number,
  limits: DuckDbLimits,
  guard: <T>(work: () => Promise<T>) => Promise<T>,
): AsyncIterable<Row[]> {
  await connection.run("set TimeZone = 'UTC'");
  const marked = `select *, false as ${LAST_ROW} from (${sql}\n) union all by name select true as ${LAST_ROW}`;
  const result = await guard(() => connection.stream(marked, [...params]));
  const names = result.deduplicatedColumnNames().slice(0, -1);
  let batch: Row[] = [];
  let bytes = 0;
  for (let whole = false; ;) {
    const chunk = await guard(() => result.fetchChunk());
    if (chunk === null || chunk.rowCount === 0) {
      if (!whole) throw brokeOff(sql, limits);
      break;
    }
    // A row at a time: a chunk of 2,048 rows of a megabyte is not to be held twice.
    for (let row = 0; row < chunk.rowCount; row++) {
      const values = chunk.getRowValues(row);
      whole = values.at(-1) === true;
      if (whole) continue;
      batch.push(toRow(names, values));
      for (const value of values) if (typeof value === "string") bytes += value.length;
      if (batch.length === batchSize || bytes >= BATCH_BYTES) {
        yield batch;
        batch = [];
        bytes = 0;
      }
    }
  }
  if (batch.length > 0) yield batch;
}
