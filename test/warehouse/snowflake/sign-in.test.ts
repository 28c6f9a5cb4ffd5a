/** How the client signs in to Snowflake, as the requests say that it really sends; and what errors tell of the secrets: nothing. */
import { createPublicKey, createVerify, generateKeyPairSync } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SnowflakeConnection } from "../../../src/project/targets/snowflake.js";
import { openSnowflake } from "../../../src/warehouse/snowflake/warehouse.js";
import { temporaryFolder } from "../../commands/support.js";
import { startProtocol, type Protocol, type Seen } from "../../support/snowflake-protocol.js";

const KEYS = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PEM = KEYS.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const LOCKED = KEYS.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "pass-secret" }).toString();
const root = temporaryFolder();
writeFileSync(join(root, "opportune.p8"), LOCKED);

type SignIn = SnowflakeConnection["signIn"];
const key = (given: Partial<Extract<SignIn, { kind: "key" }>>): SignIn => ({ kind: "key", key: null, file: null, passphrase: null, ...given });

async function signIn(protocol: Protocol, changes: Partial<SnowflakeConnection>): Promise<Seen> {
  const warehouse = await openSnowflake({ ...protocol.connection, ...changes }, { root });
  await warehouse.close();
  return protocol.arrived("/session/v1/login-request");
}

async function refusal(changes: Partial<SnowflakeConnection>, answer: Protocol["signIn"] = {}): Promise<Error> {
  const protocol = await startProtocol();
  protocol.signIn = answer;
  return openSnowflake({ ...protocol.connection, ...changes }, { root }).then(
    () => {
      throw new Error("it was let in");
    },
    (error: unknown) => error as Error,
  );
}

describe("signing in to Snowflake", () => {
  it.each([
    ["inline", key({ key: PEM })],
    ["in one line, as variables hold it", key({ key: PEM.replaceAll("\n", String.raw`\n`) })],
    ["inline with a passphrase", key({ key: LOCKED, passphrase: "pass-secret" })],
    ["from a file with a passphrase", key({ file: "opportune.p8", passphrase: "pass-secret" })],
  ])("with a key %s sends a token signed by it, and nothing of the key", async (_, by) => {
    const { body } = await signIn(await startProtocol(), { signIn: by });
    const { TOKEN, AUTHENTICATOR, LOGIN_NAME, PASSWORD } = body.data as Record<string, string | undefined>;
    expect({ AUTHENTICATOR, LOGIN_NAME, PASSWORD }).toEqual({ AUTHENTICATOR: "SNOWFLAKE_JWT", LOGIN_NAME: "OPPORTUNE", PASSWORD: undefined });
    const [head = "", claims = "", signature = ""] = String(TOKEN).split(".");
    const verified = createVerify("RSA-SHA256").update(`${head}.${claims}`).verify(createPublicKey(KEYS.privateKey), signature, "base64url");
    expect(verified).toBe(true);
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({ sub: "MYORG-SHOP.OPPORTUNE" });
    expect(JSON.stringify(body)).not.toMatch(/pass-secret|PRIVATE KEY/);
  });

  it("with an OAuth token or a password sends that alone", async () => {
    const oauth = await signIn(await startProtocol(), { signIn: { kind: "oauth", token: "token-secret" }, user: null });
    expect(oauth.body.data).toMatchObject({ AUTHENTICATOR: "OAUTH", TOKEN: "token-secret" });
    const password = await signIn(await startProtocol(), {});
    expect(password.body.data).toMatchObject({ LOGIN_NAME: "OPPORTUNE", PASSWORD: "pass-secret" });
    expect(password.body.data).not.toHaveProperty("TOKEN");
  });

  it("names role, warehouse, database and schema, and says who it is without looking at the machine", async () => {
    const protocol = await startProtocol();
    const { query, body } = await signIn(protocol, { role: "OPPORTUNE", warehouse: "OPPORTUNE_XS", sessionSchema: "PUBLIC" });
    expect(Object.fromEntries(query)).toMatchObject({ roleName: "OPPORTUNE", warehouse: "OPPORTUNE_XS", databaseName: "SHOP", schemaName: "PUBLIC" });
    expect(body.data).toMatchObject({ ACCOUNT_NAME: "myorg-shop", CLIENT_ENVIRONMENT: { APPLICATION: "opportune", PLATFORM: ["disabled"] } });
    // No telemetry, no heartbeat; and no log file.
    expect([...new Set(protocol.seen.map(({ path }) => path))]).toEqual(["/session/v1/login-request", "/queries/v1/query-request", "/session"]);
    expect(readdirSync(".").filter((file) => /snowflake.*log/.test(file))).toEqual([]);
  });

  it("sets the session up in one statement: UTC, formats, timeouts of statements and locks", async () => {
    const protocol = await startProtocol();
    await signIn(protocol, { statementTimeoutSeconds: 90 });
    const { body } = await protocol.arrived("/queries/v1/query-request");
    for (const setting of ["timezone = 'UTC'", "autocommit = true", "statement_timeout_in_seconds = 90", "lock_timeout = 90", "abort_detached_query = true"])
      expect(body.sqlText).toContain(setting);
    expect(protocol.statements()).toEqual([]);
  });

  it("at a browser is refused where nobody is at a terminal", async () => {
    const { isTTY } = process.stdin;
    process.stdin.isTTY = false;
    try {
      expect((await refusal({ signIn: { kind: "browser" } })).message).toMatch(/nobody is at a terminal here[^]*private_key_path/);
    } finally {
      process.stdin.isTTY = isTTY;
    }
  });
});

describe("an error of signing in", () => {
  it.each([
    ["the file is missing", key({ file: "none.p8" }), /^The file none\.p8, named under private_key_path, can't be read/],
    [
      "the passphrase is missing",
      key({ key: LOCKED }),
      /^The value of private_key is no private key that can be read: it needs a passphrase[^]*private_key_passphrase/,
    ],
    ["the passphrase is wrong", key({ file: "opportune.p8", passphrase: "other-secret" }), /^The file opportune\.p8[^]*with that passphrase/],
    ["it is no key", key({ key: PEM.slice(0, 200) }), /^The value of private_key is no private key that can be read \(ERR_\w+\)[^]*PEM/],
  ])("says what to do where %s, and shows nothing of the key", async (_, by, message) => {
    const error = await refusal({ signIn: by });
    expect(error.message).toMatch(message);
    expect(everything(error)).not.toMatch(/-secret|BEGIN/);
    expect(everything(error)).not.toContain(PEM.split("\n")[1]);
  });

  it("gives the server's words, which database and account, and the way out", async () => {
    const error = await refusal({ signIn: key({ key: PEM }) }, { code: "390144", message: "JWT token is invalid. [0ce9eb56]" });
    expect(error.message).toMatch(/^Can't sign in to Snowflake \(SHOP on myorg-shop\): JWT token is invalid\. \[0ce9eb56\]\.\n.*rsa_public_key/);
    expect(everything(error)).not.toContain(PEM.split("\n")[1]);
  });

  it("names what to check where no Snowflake answers", async () => {
    expect((await refusal({}, 404)).message).toMatch(/^Can't sign in to Snowflake \(SHOP on myorg-shop\): .*\n.*orgname-accountname/);
  });
});

/** All that a debug log could write of an error: causes and properties too. */
function everything(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  return [error.message, error.stack, JSON.stringify(error, Object.getOwnPropertyNames(error)), error.cause === undefined ? "" : everything(error.cause)].join(
    "\n",
  );
}
