import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection, ConnectionOptions, RowStatement, StatementOption } from "snowflake-sdk";
import { formatDuration } from "../core/durations.js";
import { OpportuneError } from "../core/errors.js";
import type { SnowflakeConnection } from "../project/types.js";
import { WarehouseError } from "./error.js";

type Driver = typeof import("snowflake-sdk");

/** How long a sign-in may take, ms; a person at a browser needs longer than a key. */
const SIGN_IN_MS = { key: 30_000, browser: 120_000 };

/** How long the client repeats a request that the network lost, s. Its own five minutes are longer than most runs. */
const RETRY_SECONDS = 60;

/** `SHOP on myorg-shop`. */
export function snowflakeName({ account, database }: SnowflakeConnection): string {
  return `${database === null ? "" : `${database} on `}${account}`;
}

/** Signs in and sets the session up. @throws OpportuneError with the way out */
export async function connectSnowflake(connection: SnowflakeConnection, root: string): Promise<Connection> {
  const driver = await loadDriver();
  const signedIn = driver.createConnection(options(connection, root));
  try {
    const browser = connection.signIn.kind === "browser";
    await within<unknown>(browser ? signedIn.connectAsync() : connect(signedIn), browser ? SIGN_IN_MS.browser : SIGN_IN_MS.key);
    await run(signedIn, { sqlText: sessionSettings(connection) });
    return signedIn;
  } catch (error) {
    signedIn.destroy(() => undefined);
    throw unreachable(connection, error);
  }
}

let driver: Promise<Driver> | null = null;

/** Loaded with its telemetry, log file and look at the host's platform switched off. */
async function loadDriver(): Promise<Driver> {
  driver ??= (async () => {
    process.env["SF_TELEMETRY_DISABLE_CONNECTION_SHAPE"] ??= "true";
    process.env["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] ??= "true";
    process.env["SNOWFLAKE_DISABLE_MINICORE"] ??= "true";
    const { default: loaded } = (await import("snowflake-sdk")) as unknown as { default: Driver };
    // Without this it writes snowflake.log into the working folder.
    loaded.configure({ logLevel: "OFF", additionalLogToConsole: false });
    return loaded;
  })();
  try {
    return await driver;
  } catch (error) {
    driver = null;
    throw new OpportuneError(
      {
        code: "warehouse/driver",
        message: "Targets of type snowflake need the package snowflake-sdk, which is not installed.",
        hint: "Run `npm install snowflake-sdk` beside Opportune.",
      },
      1,
      error,
    );
  }
}

function options(connection: SnowflakeConnection, root: string): ConnectionOptions {
  const { account, user, role, warehouse, database, sessionSchema, queryTag, url } = connection;
  return {
    account,
    application: "opportune",
    ...(user === null ? {} : { username: user }),
    ...(url === null ? {} : { accessUrl: url }),
    ...(role === null ? {} : { role }),
    ...(warehouse === null ? {} : { warehouse }),
    ...(database === null ? {} : { database }),
    ...(sessionSchema === null ? {} : { schema: sessionSchema }),
    ...signIn(connection, root),
    retryTimeout: RETRY_SECONDS,
    clientSessionKeepAlive: true,
    queryTag,
    // As text: what doesn't fit a JavaScript number keeps its digits.
    fetchAsString: ["Number", "Date", "JSON", "Buffer"],
    rowMode: "array",
  };
}

function sessionSettings({ statementTimeoutSeconds }: SnowflakeConnection): string {
  const seconds = String(statementTimeoutSeconds);
  const settings = {
    timezone: "'UTC'",
    timestamp_type_mapping: "'TIMESTAMP_NTZ'",
    timestamp_ntz_output_format: "'YYYY-MM-DD HH24:MI:SS.FF6'",
    statement_timeout_in_seconds: seconds,
    // Of a lock that another's transaction holds.
    lock_timeout: seconds,
    // Of a process that is gone: its transaction is rolled back, and with it the lock on the lease.
    abort_detached_query: "true",
  };
  return `alter session set ${Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ")}`;
}

function signIn({ signIn }: SnowflakeConnection, root: string): Partial<ConnectionOptions> {
  switch (signIn.kind) {
    case "password":
      return { password: signIn.password };
    case "key":
      return {
        authenticator: "SNOWFLAKE_JWT",
        privateKey: signIn.key ?? readKey(signIn.file ?? "", root),
        ...(signIn.passphrase === null ? {} : { privateKeyPass: signIn.passphrase }),
      };
    case "oauth":
      return { authenticator: "OAUTH", token: signIn.token };
    case "browser":
      return { authenticator: "EXTERNALBROWSER" };
  }
}

function readKey(file: string, root: string): string {
  try {
    return readFileSync(file.startsWith("/") ? file : join(root, file), "utf8");
  } catch (error) {
    throw new OpportuneError(
      {
        code: "warehouse/key",
        message: `The file ${file}, named under private_key_path, can't be read.`,
        hint: "Give the path of the private key in PEM (PKCS #8), relative to the project.",
      },
      1,
      error,
    );
  }
}

function connect(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.connect((error) => {
      // The client passes undefined where all is well, whatever its types say.
      if (error as unknown) reject(error);
      else resolve();
    });
  });
}

/** Runs one statement to its end. */
export function run(connection: Connection, statement: StatementOption): Promise<{ statement: RowStatement; rows: unknown[] }> {
  return new Promise((resolve, reject) => {
    connection.execute({
      ...statement,
      complete(error, done, rows) {
        if (error === undefined || (error as unknown) === null) resolve({ statement: done, rows: rows ?? [] });
        else reject(error);
      },
    });
  });
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${formatDuration(ms / 1000)}`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the driver threw, as far as it says it; the rest of it may hold the request, and with it the key. */
function read(error: unknown): { message: string; code: string } {
  const { code } = (error ?? {}) as { code?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  return { message: message.split("\n").join(" "), code: typeof code === "string" || typeof code === "number" ? String(code) : "" };
}

function unreachable(connection: SnowflakeConnection, error: unknown): OpportuneError {
  if (error instanceof OpportuneError) return error;
  const { message, code } = read(error);
  return new OpportuneError({
    code: "warehouse/unreachable",
    message: `Can't sign in to Snowflake (${snowflakeName(connection)}): ${message}.`.replace(/\.\.$/, "."),
    hint: /^39\d{4}$/.test(code)
      ? "Check the user and how it signs in: a key must be registered (`alter user … set rsa_public_key`), a token not expired."
      : "Check `account` (orgname-accountname), `role`, `warehouse` and `database` of this target, and that this machine may reach Snowflake.",
  });
}

/** Codes of the client for requests that got no answer. */
const NO_ANSWER = new Set(["401001", "401002", "401003", "402001", "402002", "405501", "405502", "405503", "407002"]);

/**
 * The warehouse's complaint about a statement, with the line it points at; or the loss of the session.
 * @param sql what was run
 * @param shown what its author wrote, beginning on the same line
 */
export function statementError(error: unknown, shown: string, connection: SnowflakeConnection): OpportuneError {
  const { message, code } = read(error);
  if (NO_ANSWER.has(code)) {
    return new OpportuneError({
      code: "warehouse/connection-lost",
      message: `The session with Snowflake (${snowflakeName(connection)}) was lost: ${message}.`.replace(/\.\.$/, "."),
      hint: "What was committed stands. Run again once Snowflake answers: the next run takes up what this one left.",
    });
  }
  const line = /\bline (\d+)\b/i.exec(message);
  // 000630: the server's own timeout; 604 with ours.
  const timeout = /^0*630$/.test(code) || /reached its (?:statement|warehouse)/.test(message);
  const reason = timeout
    ? `it took longer than ${formatDuration(connection.statementTimeoutSeconds)}, the statement_timeout of this target`
    : message.replace(/^\d{6} \(\w{5}\): /, "").replace(/^SQL compilation error: ?/, "");
  return new WarehouseError(reason, line === null ? null : Number(line[1]), shown);
}
