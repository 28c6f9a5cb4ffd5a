/** The types of warehouse, apart from all that is known of them: the command line names them before it loads anything. */
export const WAREHOUSES = ["duckdb", "postgres", "snowflake", "bigquery"] as const;

export type WarehouseType = (typeof WAREHOUSES)[number];
