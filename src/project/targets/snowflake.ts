/** Targets of type snowflake: an account, and one way to sign in. */
import { stringify } from "yaml";
import * as z from "zod";
import { duration, text, url } from "../schema/fields.js";
import { everyTarget, meteredTarget, type TargetType } from "./target.js";

export interface SnowflakeConnection {
  type: "snowflake";
  /** `orgname-accountname`. */
  account: string;
  user: string | null;
  /** Nothing of it is ever logged. `file`: PEM, relative to the project root. */
  signIn:
    | { kind: "password"; password: string }
    | { kind: "key"; key: string | null; file: string | null; passphrase: string | null }
    | { kind: "oauth"; token: string }
    | { kind: "browser" };
  /** Null: as the user's defaults are; likewise warehouse, database and the schema that names without one are looked up in. */
  role: string | null;
  warehouse: string | null;
  database: string | null;
  sessionSchema: string | null;
  queryTag: string;
  statementTimeoutSeconds: number;
  /** Another base URL than the account's own; null: none. */
  url: string | null;
}

export const schema = z.strictObject({
  type: z.literal("snowflake"),
  account: text.describe("Account identifier, orgname-accountname."),
  user: text.optional().describe("User to sign in as."),
  private_key_path: text.optional().describe("Private key file in PEM, relative to the project."),
  private_key: text.optional().describe("The key itself: ${SNOWFLAKE_PRIVATE_KEY}."),
  private_key_passphrase: text.optional().describe("Of an encrypted key: ${SNOWFLAKE_PASSPHRASE}."),
  token: text.optional().describe("An OAuth access token: ${SNOWFLAKE_TOKEN}."),
  password: text.optional().describe("For accounts that still allow one: ${SNOWFLAKE_PASSWORD}."),
  authenticator: z.literal("externalbrowser").optional().describe("Sign in at a browser: for a person at a terminal, not for a job."),
  role: text.optional().describe("Role of the session; the user's default if none is named."),
  warehouse: text.optional().describe("Virtual warehouse that runs the statements."),
  database: text.optional().describe("Database of the ledger, and of tables without one."),
  session_schema: text.optional().describe("Schema in which tables without one are looked up, and that holds temporary tables."),
  query_tag: text.max(200).default("opportune").describe("Names the job in the query tag of its statements, as `app`."),
  ...everyTarget,
  ...meteredTarget,
  statement_timeout: duration.prefault("10 minutes").describe("A statement that takes longer is cancelled."),
  url: url.optional().describe("Base URL other than the account's own: a private link, or an emulator."),
});

type Written = z.output<typeof schema>;

const SIGN_IN = ["private_key_path", "private_key", "token", "password", "authenticator"] as const;

export const snowflake: TargetType<Written, SnowflakeConnection> = {
  /** Exactly one way to sign in: of two, nobody could say which of them a job uses. */
  check(target, path, report) {
    const [way, second] = SIGN_IN.filter((key) => target[key] !== undefined);
    if (way === undefined) {
      report(
        path,
        "missing",
        `${path.join(".")} names no way to sign in; expected one of ${SIGN_IN.join(", ")}`,
        "add private_key_path: FILE, or private_key: ${SNOWFLAKE_PRIVATE_KEY}",
      );
    }
    if (way !== undefined && second !== undefined) {
      report([...path, second], "sign-in", `${path.join(".")} names two ways to sign in: ${way} and ${second}`, "leave one of them out", "key");
    }
    if (target.private_key_passphrase !== undefined && way !== "private_key_path" && way !== "private_key") {
      const hint = "add private_key_path: FILE, or leave the passphrase out";
      report([...path, "private_key_passphrase"], "sign-in", `${path.join(".")}.private_key_passphrase stands without a private key`, hint, "key");
    }
    if (target.user === undefined && way !== undefined && way !== "token") {
      report(path, "missing", `user is missing in ${path.join(".")}, which signs in by ${way}`, "add user: ${SNOWFLAKE_USER}");
    }
  },
  connection(target) {
    return {
      type: "snowflake",
      account: target.account,
      user: target.user ?? null,
      signIn: signInOf(target),
      role: target.role ?? null,
      warehouse: target.warehouse ?? null,
      database: target.database ?? null,
      sessionSchema: target.session_schema ?? null,
      queryTag: target.query_tag,
      statementTimeoutSeconds: target.statement_timeout,
      url: target.url ?? null,
    };
  },
  name: ({ account, database }) => `${database === null ? "" : `${database} on `}${account}`,
  secrets: ({ signIn }) =>
    Object.entries(signIn)
      .filter(([name]) => name !== "kind" && name !== "file")
      .map(([, value]) => value),
  packages: ["snowflake-sdk"],
  comeAlong: false,
  metered: true,
  starter: ({ database }) => `
    type: snowflake # the role, its grants and other ways to sign in: docs/snowflake.md of the package
    account: \${SNOWFLAKE_ACCOUNT} # ORGANISATION-ACCOUNT; these variables stand in the environment or in .env
    user: \${SNOWFLAKE_USER}
    private_key_path: \${SNOWFLAKE_PRIVATE_KEY_PATH} # PEM, relative to the project
    # private_key_passphrase: if the key has one, as a variable of the environment
    role: \${SNOWFLAKE_ROLE}
    warehouse: \${SNOWFLAKE_WAREHOUSE}
    database: ${database === null ? "${SNOWFLAKE_DATABASE}" : stringify(database, { singleQuote: true, lineWidth: 0 }).trimEnd()}`,
};

/** One way is named: see `check`. */
function signInOf(target: Written): SnowflakeConnection["signIn"] {
  if (target.authenticator === "externalbrowser") return { kind: "browser" };
  if (target.token !== undefined) return { kind: "oauth", token: target.token };
  if (target.password !== undefined) return { kind: "password", password: target.password };
  return { kind: "key", key: target.private_key ?? null, file: target.private_key_path ?? null, passphrase: target.private_key_passphrase ?? null };
}
