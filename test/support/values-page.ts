import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { WarehouseName } from "./databases.js";
import { valuesTable } from "./values-table.js";

const PAGE = join(import.meta.dirname, "../../docs/values.md");

/** The warehouse's table in docs/values.md says what it does today; with UPDATE_DOCS=1 it is written anew. */
export async function checkValuesPage(name: WarehouseName): Promise<void> {
  const page = readFileSync(PAGE, "utf8");
  const parts = new RegExp(`(<!-- values of ${name} -->\n\n)([\\s\\S]*?)(\n\n<!-- end -->)`).exec(page);
  if (parts === null) throw new Error(`docs/values.md has no place for ${name}`);
  const table = await valuesTable(name);
  if (process.env["UPDATE_DOCS"] === "1")
    writeFileSync(
      PAGE,
      page.replace(parts[0], () => `${parts[1] ?? ""}${table}${parts[3] ?? ""}`),
    );
  else expect(parts[2], "UPDATE_DOCS=1 npx vitest run test/docs/values.test.ts writes it anew").toBe(table);
}
