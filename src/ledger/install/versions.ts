/** Which version a ledger is of, and which one this Opportune needs. */
import { readdirSync } from "node:fs";
import { OpportuneError } from "../../core/errors.js";
import { WarehouseError } from "../../warehouse/error.js";
import type { Ledger } from "../ledger.js";

const LEDGER_FILES = new URL("../../../sql/ledger/", import.meta.url);

/** The numbered files under sql/ledger/; a ledger's version is how many of them it has had. */
export function migrations(): string[] {
  return readdirSync(LEDGER_FILES)
    .filter((file) => /^\d{3}_\w+\.sql$/.test(file))
    .sort();
}

export interface LedgerStatus {
  /** 0: not installed. */
  version: number;
  /** What this version of Opportune needs. */
  expected: number;
}

export async function ledgerStatus(ledger: Ledger): Promise<LedgerStatus> {
  const expected = migrations().length;
  if (!(await ledger.warehouse.hasTable(ledger.schema, "meta"))) return { version: 0, expected };
  const rows = await ledger.query(ledger.tables.selectFrom("meta").select("content").where("name", "=", "schema_version"));
  return { version: Number(rows[0]?.["content"] ?? 0), expected };
}

/** @throws OpportuneError `ledger/version` or `ledger/newer`, with the command that helps, unless the ledger is of this version */
export async function requireLedger(ledger: Ledger): Promise<void> {
  requireVersion(ledger.schema, (await ledgerStatus(ledger)).version);
}

/** @throws OpportuneError like requireLedger, unless that is the version needed; 0: there is no ledger */
export function requireVersion(schema: string, version: number): void {
  const status: LedgerStatus = { version, expected: migrations().length };
  refuseNewer(status);
  if (status.version === status.expected) return;
  const problem =
    status.version === 0
      ? `There is no ledger in schema ${schema}.`
      : `The ledger in schema ${schema} is of version ${String(status.version)}; this Opportune needs ${String(status.expected)}.`;
  throw new OpportuneError({ code: "ledger/version", message: problem, hint: "Run `opportune ledger install`." });
}

/** @throws OpportuneError `ledger/newer` */
export function refuseNewer({ version, expected }: LedgerStatus): void {
  if (version <= expected) return;
  throw new OpportuneError({
    code: "ledger/newer",
    message: `The ledger is of version ${String(version)}, newer than the ${String(expected)} this Opportune knows.`,
    hint: "Upgrade Opportune (`npm install opportune@latest`) on this machine.",
  });
}

/** A ledger that is missing or of another version can't be read as this one: that says more than the warehouse's error does. */
export async function elseRequired<T>(ledger: Ledger, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WarehouseError) await requireLedger(ledger);
    throw error;
  }
}
