/** The oracle on Postgres, for `npm run test:long` (5,000 candidates) and `npm run test:soak` (10,000). */
import { afterAll, test } from "vitest";
import { askOracle } from "../support/oracle.js";
import { openNewDatabase } from "../support/postgres.js";
import { closeIdleWarehouses } from "../support/sql-decider.js";

const WANTED = Number(process.env["ORACLE_CANDIDATES"] ?? 10_000);

afterAll(closeIdleWarehouses);

test("Postgres decides random stories row for row as the model does, breaks no promise, and meets every reason", { timeout: 1_800_000 }, () =>
  askOracle(WANTED, openNewDatabase),
);
