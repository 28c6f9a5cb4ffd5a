import { connectionName } from "../../project/targets/targets.js";
import { formatDuration } from "../../core/durations.js";
import { withoutFreeText, withoutValues } from "../../core/values.js";
import { OpportuneError } from "../../core/errors.js";
import type { BigQueryConnection } from "../../project/targets/bigquery.js";
import {} from "./connect.js";
import { JobError } from "./requests.js";
import { WarehouseError } from "../error.js";

/** What BigQuery says when two statements change one table at a time: nothing of the later one stands, and it may be run again. */
const CONCURRENT = /could not serialize access|due to concurrent update/i;

export function isConcurrentUpdate(error: unknown): boolean {
  return error instanceof WarehouseError && CONCURRENT.test(error.reason);
}

/**
 * BigQuery's complaint about a statement, with the line it points at; or that it can't be reached.
 * @param shown what its author wrote, beginning on the same line
 */
export function statementError(error: unknown, shown: string, connection: BigQueryConnection): OpportuneError {
  if (error instanceof OpportuneError) return error;
  if (!(error instanceof JobError)) return unreachable(connection, error instanceof Error ? error.message : String(error));
  const { status, reason, message } = error;
  if (reason === "timeout" || reason === "stopped" || /Job timed out/i.test(message)) {
    return new WarehouseError(
      reason === "stopped" && !/timed out/i.test(message)
        ? `it was cancelled: ${oneLine(message)}`
        : `it took longer than ${formatDuration(connection.statementTimeoutSeconds)}, the statement_timeout of this target`,
      null,
      shown,
    );
  }
  // Without a status and a reason there was no answer; 401 is about who asks. 403 may be about a table of the statement, and says so.
  if ((status === null && reason === "") || status === 401 || (status !== null && status >= 500)) return unreachable(connection, withoutValues(message, shown));
  const place = /\[(\d+):\d+\]/.exec(message);
  // Only what the analyser refuses has a place at its end: the rest of invalidQuery may hold any text of a row.
  const analysed = / at \[\d+:\d+\]$/;
  const text = oneLine(message);
  const told = reason !== "invalidQuery" || analysed.test(text) ? text.replace(analysed, "") : withoutFreeText(text, shown);
  return new WarehouseError(told, place === null ? null : Number(place[1]), shown);
}

function unreachable(connection: BigQueryConnection, message: string): OpportuneError {
  return new OpportuneError({
    code: "warehouse/unreachable",
    message: `BigQuery (${connectionName(connection)}) doesn't answer: ${oneLine(message)}.`.replace(/\.\.$/, "."),
    hint: "What was committed stands, and the next run takes up what this one left. Check `project`, the sign-in of this target, and that this machine may reach bigquery.googleapis.com.",
  });
}

function oneLine(message: string): string {
  return message.split(/\s*\n\s*/).join(" ");
}
