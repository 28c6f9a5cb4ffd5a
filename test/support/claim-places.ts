import type { Warehouse } from "../../src/warehouse/types.js";

/** Message id → its claim's place among the decisions that were just made. */
export async function claimPlaces(warehouse: Warehouse): Promise<ReadonlyMap<string, number>> {
  const sql = `select message_id, place from ${warehouse.dialect.workTable("decisions")} where event = 'claimed'`;
  const rows = await warehouse.query({ sql, params: [] });
  return new Map(rows.map((row) => [String(row["message_id"]), Number(row["place"])]));
}
