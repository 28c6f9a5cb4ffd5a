import { sql } from "kysely";
import { ledgerQueries, statement } from "../../ledger/tables.js";
import { readText } from "../../project/written/text.js";
import { keysAt, PROJECT_FILE } from "../../project/written/project-file.js";
import { parseYaml } from "../../project/written/yaml-source.js";
import { isoText } from "../../warehouse/sql.js";
import type { Warehouse } from "../../warehouse/types.js";

/** Names of all targets of a project whose opportune.yml is readable. */
export function targetNames(root: string): string[] {
  const { source } = parseYaml(PROJECT_FILE, readText(root, PROJECT_FILE).text);
  return keysAt(source, source?.value, "targets") ?? [];
}

/** Who holds the run's lease, and until when (ISO 8601 UTC); null for nobody. */
export async function leaseOf(warehouse: Warehouse, schema: string): Promise<{ holder: string; until: string } | null> {
  const until = sql<string>`${sql.raw(isoText("expires_at", warehouse.dialect))}`.as("until");
  const [lease] = await warehouse.query(
    statement(
      ledgerQueries(warehouse.dialect, schema).selectFrom("leases").select(["holder", until]).where("name", "=", "run").where("holder", "is not", null),
    ),
  );
  return lease === undefined ? null : { holder: String(lease["holder"]), until: String(lease["until"]) };
}
