import type { Connection, ConnectionOptions } from "snowflake-sdk";
import type snowflakeSdk from "snowflake-sdk";
import { OpportuneError } from "../../core/errors.js";
import type { SnowflakeConnection } from "../../project/targets/snowflake.js";
import { driverMissing } from "../driver.js";
import { unreachable } from "./errors.js";
import { SnowflakeSession, within } from "./session.js";
import { signInOptions } from "./sign-in.js";

/** How long a sign-in may take, ms; a person at a browser needs longer than a key. */
const SIGN_IN_MS = 60_000;
const BROWSER_MS = 150_000;

/** How often the client tries to sign in again where it got no answer. */
const SIGN_IN_RETRIES = 2;

/**
 * One request's answer, ms. The server answers within 45 s, if only that the statement goes on; then the client asks again.
 */
const REQUEST_MS = 60_000;

/** Signs in and sets the session up. @throws OpportuneError with the way out */
export async function connectSnowflake(connection: SnowflakeConnection, root: string): Promise<SnowflakeSession> {
  const { kind } = connection.signIn;
  if (kind === "browser" && !process.stdin.isTTY) {
    throw new OpportuneError({
      code: "warehouse/browser",
      message: "This target signs in at a browser (`authenticator: externalbrowser`), and nobody is at a terminal here.",
      hint: "Give jobs a key: private_key_path, or private_key: ${SNOWFLAKE_PRIVATE_KEY}.",
    });
  }
  const options = connectionOptions(connection, root);
  const driver = await loadDriver();
  let client: Connection | null = null;
  try {
    client = driver.createConnection(options);
    await within<unknown>(kind === "browser" ? client.connectAsync() : connect(client), kind === "browser" ? BROWSER_MS : SIGN_IN_MS);
    const session = new SnowflakeSession(client, connection);
    await session.run({ sql: sessionSettings(connection), tag: connection.queryTag });
    return session;
  } catch (error) {
    client?.destroy(() => undefined);
    throw unreachable(error, connection);
  }
}

let driver: Promise<typeof snowflakeSdk> | null = null;

/** Loaded with its telemetry, log file and look at the host's platform switched off. */
async function loadDriver(): Promise<typeof snowflakeSdk> {
  driver ??= (async () => {
    process.env["SF_TELEMETRY_DISABLE_CONNECTION_SHAPE"] ??= "true";
    process.env["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] ??= "true";
    process.env["SNOWFLAKE_DISABLE_MINICORE"] ??= "true";
    const { default: loaded } = await import("snowflake-sdk");
    // Without this it writes snowflake.log into the working folder.
    loaded.configure({ logLevel: "OFF", additionalLogToConsole: false });
    return loaded;
  })();
  try {
    return await driver;
  } catch (error) {
    driver = null;
    throw driverMissing("snowflake", error);
  }
}

function connectionOptions(connection: SnowflakeConnection, root: string): ConnectionOptions {
  const { account, user, role, warehouse, database, sessionSchema, url } = connection;
  return {
    account,
    application: "opportune",
    ...(user === null ? {} : { username: user }),
    ...(url === null ? {} : { accessUrl: url }),
    ...(role === null ? {} : { role }),
    ...(warehouse === null ? {} : { warehouse }),
    ...(database === null ? {} : { database }),
    ...(sessionSchema === null ? {} : { schema: sessionSchema }),
    ...signInOptions(connection, root),
    timeout: REQUEST_MS,
    sfRetryMaxLoginRetries: SIGN_IN_RETRIES,
    // As text: what doesn't fit a JavaScript number keeps its digits, and nothing is reported to Snowflake for having lost some.
    fetchAsString: ["Number", "Date", "JSON", "Buffer"],
    jsTreatIntegerAsBigInt: true,
    // Else a null read as text is the text NULL.
    representNullAsStringNull: false,
    rowMode: "array",
  };
}

/** What an account or a user may have set otherwise. */
function sessionSettings({ statementTimeoutSeconds }: SnowflakeConnection): string {
  const seconds = String(statementTimeoutSeconds);
  const settings = {
    timezone: "'UTC'",
    autocommit: "true",
    // Else names in quotes, ours among them, are folded to upper case.
    quoted_identifiers_ignore_case: "false",
    // A limit would cut off claims without a word.
    rows_per_resultset: "0",
    error_on_nondeterministic_merge: "true",
    timestamp_type_mapping: "'TIMESTAMP_NTZ'",
    timestamp_input_format: "'AUTO'",
    timestamp_ntz_output_format: "'YYYY-MM-DD HH24:MI:SS.FF6'",
    timestamp_ltz_output_format: "'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM'",
    timestamp_tz_output_format: "'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM'",
    date_input_format: "'AUTO'",
    date_output_format: "'YYYY-MM-DD'",
    time_input_format: "'AUTO'",
    time_output_format: "'HH24:MI:SS'",
    binary_output_format: "'HEX'",
    statement_timeout_in_seconds: seconds,
    // Of a lock that another's transaction holds.
    lock_timeout: seconds,
    // Statements of a process that is gone end, and its transaction is rolled back: with it goes the lock on the lease.
    abort_detached_query: "true",
  };
  return `alter session set ${Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ")}`;
}

function connect(client: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    client.connect((error: unknown) => {
      // Nothing or null where all is well, whatever the client's types say.
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
}
