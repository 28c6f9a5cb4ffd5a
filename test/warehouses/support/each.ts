/** Each test on every warehouse, or a reason why not, which must stay true. */
import { chai, describe, expect, it } from "vitest";
import { BIGQUERY_TARGET_VARIABLE, BIGQUERY_URLS_VARIABLE } from "../../support/bigquery.js";
import type { WarehouseName } from "../../support/databases.js";
import { SNOWFLAKE_TARGET_VARIABLE, SNOWFLAKE_URL_VARIABLE } from "../../support/snowflake.js";

interface Tested {
  name: WarehouseName;
  title: string;
  /** What stands for the warehouse is an emulator: what it can't show isn't the warehouse's fault. */
  emulated: boolean;
  /** The launcher has said so where it couldn't start one. */
  missing: boolean;
}

const named = (variable: string): boolean => process.env[variable] !== undefined;

export const WAREHOUSES: readonly Tested[] = [
  { name: "duckdb", title: "DuckDB", emulated: false, missing: false },
  { name: "postgres", title: "Postgres", emulated: false, missing: false },
  real("snowflake", "Snowflake", SNOWFLAKE_TARGET_VARIABLE, SNOWFLAKE_URL_VARIABLE),
  real("bigquery", "BigQuery", BIGQUERY_TARGET_VARIABLE, BIGQUERY_URLS_VARIABLE),
];

function real(name: WarehouseName, title: string, account: string, emulator: string): Tested {
  const emulated = !named(account);
  return { name, title: emulated ? `${title}'s emulator` : title, emulated, missing: emulated && !named(emulator) };
}

/** Why not, printed in the test's name, and the one error that its test must therefore end with. */
export interface NotSupported {
  why: string;
  error: RegExp;
}

/** What some warehouse, or its emulator alone (`"snowflake emulator"`), can't do. */
export type Reasons = Partial<Record<WarehouseName | `${WarehouseName} emulator`, NotSupported>>;

/**
 * A test of one warehouse. Where a reason is given, its body must fail with that error: if it
 * passes or fails otherwise, the reason no longer holds.
 */
export type Check = (title: string, body: () => Promise<unknown>, notSupported?: Reasons) => void;

/** Declares the same tests for each warehouse. */
export function onEachWarehouse(about: string, declare: (warehouse: Tested, check: Check) => void): void {
  for (const warehouse of WAREHOUSES) {
    describe.skipIf(warehouse.missing)(`${about} on ${warehouse.title}`, () => {
      declare(warehouse, (title, body, notSupported = {}) => {
        const reason = notSupported[warehouse.name] ?? (warehouse.emulated ? notSupported[`${warehouse.name} emulator`] : undefined);
        if (reason === undefined) it(title, async () => void (await body()));
        else
          it(`${title}: NOT_SUPPORTED, ${reason.why}`, async () => {
            const said = await body().then(
              () => "it passes after all",
              // What an assertion found stands there in full.
              (error: unknown) =>
                error instanceof chai.AssertionError ? `${error.message}\n${String((error as Error & { actual?: unknown }).actual)}` : (error as Error).message,
            );
            expect(said, reason.why).toMatch(reason.error);
          });
      });
    });
  }
}
