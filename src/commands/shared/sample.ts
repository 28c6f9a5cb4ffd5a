/** The shipped example: the project that `init` copies and `demo` runs, and the small warehouse it works on. */
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installLedger } from "../../ledger/install/install.js";
import { Ledger } from "../../ledger/ledger.js";
import { PROJECT_FILE } from "../../project/written/project-file.js";
import type { Project } from "../../project/types.js";
import { openWarehouse } from "../../warehouse/open.js";
import { statementsOf, timestampLiteral } from "../../warehouse/sql.js";

/** The package's own folder, in a checkout and installed alike. */
const PACKAGE = fileURLToPath(new URL("../../../", import.meta.url));
const SAMPLE_FILES = new URL("../../../sql/sample/", import.meta.url);

/** What the example consists of, relative to its folder. */
export const SHIPPED: readonly string[] = [PROJECT_FILE, "segments", "templates"];

/** Copies the example, or these parts of it, into a folder; a file that is there already is an error. */
export function copyShipped(root: string, names: readonly string[] = SHIPPED): void {
  for (const name of names) cpSync(join(PACKAGE, name), join(root, name), { recursive: true, errorOnExist: true, force: false });
}

/**
 * Creates the project's DuckDB file with the example's tables and the ledger.
 * @param now ISO 8601 UTC: the behaviours are of the hours and days before
 */
export async function createSample({ target, root }: Pick<Project, "target" | "root">, now: string): Promise<void> {
  const warehouse = await openWarehouse(target.connection, { root });
  try {
    const ledger = new Ledger(warehouse, target.schema);
    // First the ledger: the sample's users have their wishes there.
    await installLedger(ledger);
    const given = { now: timestampLiteral(now, ledger.dialect) };
    for (const file of readdirSync(SAMPLE_FILES).sort()) {
      for (const sql of statementsOf(ledger.file(`sample/${file}`, given).sql)) await warehouse.execute({ sql, params: [] });
    }
  } finally {
    await warehouse.close();
  }
}
