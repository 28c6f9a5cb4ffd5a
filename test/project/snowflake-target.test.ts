/** Targets of type snowflake: what may be written, what it means, and that no secret is shown. */
import { describe, expect, test } from "vitest";
import { loadProject } from "../../src/project/build/load.js";
import { secretsOf } from "../../src/project/build/secrets.js";
import type { Project } from "../../src/project/types.js";
import { BASE, edited, linesOf, problemsOf, projectFolder, type Files } from "./support.js";

const target = (keys: string): Files => ({ ...BASE, ...edited("opportune.yml", "{type: duckdb, path: shop.duckdb}", `{type: snowflake, ${keys}}`) });
const load = (keys: string, env: NodeJS.ProcessEnv = {}): Project => loadProject(projectFolder(target(keys)), { env });
const HERE = "account: myorg-shop, user: opportune";

describe("a Snowflake target", () => {
  test("has defaults for everything but the account and how to sign in", () => {
    expect(load(`${HERE}, private_key_path: keys/opportune.p8`).target.connection).toEqual({
      type: "snowflake",
      account: "myorg-shop",
      user: "opportune",
      signIn: { kind: "key", key: null, file: "keys/opportune.p8", passphrase: null },
      role: null,
      warehouse: null,
      database: null,
      sessionSchema: null,
      queryTag: "opportune",
      statementTimeoutSeconds: 600,
      url: null,
    });
  });

  test("takes role, warehouse, database, schema, tag and timeout", () => {
    const keys = `${HERE}, token: t, role: OPPORTUNE, warehouse: OPPORTUNE_XS, database: SHOP, session_schema: PUBLIC, query_tag: crm, statement_timeout: 90 seconds`;
    expect(load(keys).target.connection).toMatchObject({
      role: "OPPORTUNE",
      warehouse: "OPPORTUNE_XS",
      database: "SHOP",
      sessionSchema: "PUBLIC",
      queryTag: "crm",
      statementTimeoutSeconds: 90,
    });
  });

  test.each([
    ['private_key: "${KEY}", private_key_passphrase: "${PASS}"', { kind: "key", key: "key-secret", file: null, passphrase: "pass-secret" }],
    ['token: "${TOKEN}"', { kind: "oauth", token: "token-secret" }],
    ['password: "${PASS}"', { kind: "password", password: "pass-secret" }],
    ["authenticator: externalbrowser", { kind: "browser" }],
  ])("signs in by %s, and knows what is secret of it", (keys, signIn) => {
    const project = load(`${HERE}, ${keys}`, { KEY: "key-secret", PASS: "pass-secret", TOKEN: "token-secret" });
    expect(project.target.connection).toMatchObject({ signIn });
    expect(secretsOf(project).filter((secret) => secret.endsWith("-secret"))).toEqual(Object.values(signIn).filter((value) => value?.endsWith("-secret")));
  });

  test("may leave the user to an OAuth token alone", () => {
    expect(load("account: myorg-shop, token: t").target.connection).toMatchObject({ user: null });
    expect(linesOf(problemsOf(target("account: myorg-shop, password: p")))).toEqual([
      "opportune.yml:3:8: user is missing in targets.dev, which signs in by password. | Add user: ${SNOWFLAKE_USER}.",
    ]);
  });

  test.each([
    [HERE, "opportune.yml:3:8: targets.dev names no way to sign in; expected one of private_key_path, private_key, token, password, authenticator."],
    [`${HERE}, token: t, password: p`, "opportune.yml:3:74: targets.dev names two ways to sign in: token and password."],
    [`${HERE}, private_key_path: k, private_key: k`, "names two ways to sign in: private_key_path and private_key"],
    [`${HERE}, token: t, private_key_passphrase: p`, "targets.dev.private_key_passphrase stands without a private key"],
    [`${HERE}, authenticator: okta`, "authenticator is"],
    [`${HERE}, token: t, host: x`, 'Unknown key "host" in targets.dev'],
    ["user: opportune, token: t", "account is missing in targets.dev"],
  ])("names the slip in %s", (keys, message) => {
    expect(linesOf(problemsOf(target(keys))).join("\n")).toContain(message);
  });
});
