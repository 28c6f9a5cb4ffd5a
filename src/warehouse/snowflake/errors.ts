import { connectionName } from "../../project/targets/targets.js";
import { formatDuration } from "../../core/durations.js";
import { OpportuneError } from "../../core/errors.js";
import { withoutFreeText } from "../../core/values.js";
import type { SnowflakeConnection } from "../../project/targets/snowflake.js";
import { WarehouseError } from "../error.js";

/** What the driver threw, as far as it says it; the rest of it may hold the request, and with it the key. */
function read(error: unknown): { message: string; code: string } {
  const { code } = (error ?? {}) as { code?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  return { message: message.split("\n").join(" "), code: typeof code === "string" || typeof code === "number" ? String(code) : "" };
}

/**
 * Codes of the client (snowflake-sdk, lib/error_code) for requests that got no answer, or none from a session that is there:
 * no connection, HTTP status, chunks of results that can't be fetched, sessions that are closed or have expired.
 */
const NO_ANSWER = new Set(["401001", "401002", "401003", "402001", "402002", "405501", "405502", "405503", "407001", "407002"]);

/** Whether nothing after it can work. */
export function isNoAnswer(error: unknown): boolean {
  return NO_ANSWER.has(read(error).code);
}

/** A session that went away is no fault of the statement. */
export function sessionLost(cause: unknown, connection: SnowflakeConnection): OpportuneError {
  return new OpportuneError({
    code: "warehouse/connection-lost",
    message: `The session with Snowflake (${connectionName(connection)}) was lost: ${read(cause).message}.`.replace(/\.\.$/, "."),
    hint: "What was committed stands. Run again once Snowflake answers: the next run takes up what this one left.",
  });
}

/** Nobody could sign in. */
export function unreachable(error: unknown, connection: SnowflakeConnection): OpportuneError {
  if (error instanceof OpportuneError) return error;
  const { message, code } = read(error);
  return new OpportuneError({
    code: "warehouse/unreachable",
    message: `Can't sign in to Snowflake (${connectionName(connection)}): ${message}.`.replace(/\.\.$/, "."),
    // 390100 to 390399: what the server says of the user, the key, the token or the password.
    hint: /^39\d{4}$/.test(code)
      ? "Check the user and how it signs in: a key must be registered (`alter user … set rsa_public_key`), a token not expired."
      : "Check `account` (orgname-accountname), `role`, `warehouse` and `database` of this target, and that this machine may reach Snowflake.",
  });
}

/**
 * The warehouse's complaint about a statement, with the line it points at.
 * @param shown what the statement's author wrote, beginning on the same line
 */
export function statementError(error: unknown, shown: string, connection: SnowflakeConnection): WarehouseError {
  const { message, code } = read(error);
  const line = /\bline (\d+)\b/i.exec(message);
  // 000630: the session's timeout or the warehouse's, whichever is shorter.
  const reason = /^0*630$/.test(code)
    ? `it took longer than ${formatDuration(connection.statementTimeoutSeconds)}, the statement_timeout of this target, or than its warehouse allows`
    : message.replace(/^\d{6} \(\w{5}\): /, "").replace(/^SQL compilation error: ?/, "");
  // 100xxx: of values and of functions that people wrote, whose text may be a row's.
  return new WarehouseError(/^100\d{3}$/.test(code) ? withoutFreeText(reason, shown) : reason, line === null ? null : Number(line[1]), shown);
}
