/** Targets of type postgres: what may be written, what it means, and that no secret is shown. */
import { describe, expect, test } from "vitest";
import { loadProject } from "../../src/project/load.js";
import type { Target } from "../../src/project/types.js";
import { BASE, edited, linesOf, problemsOf, projectFolder, type Files } from "./support.js";

const target = (keys: string): Files => edited("opportune.yml", "{type: duckdb, path: shop.duckdb}", `{type: postgres, ${keys}}`);
const load = (keys: string, env: NodeJS.ProcessEnv = {}): Target["connection"] =>
  loadProject(projectFolder({ ...BASE, ...target(keys) }), { env }).target.connection;

describe("a Postgres target", () => {
  test("has defaults for everything but where it is", () => {
    expect(load("database: shop")).toEqual({
      type: "postgres",
      host: "localhost",
      port: 5432,
      user: null,
      password: null,
      database: "shop",
      ssl: null,
      statementTimeoutSeconds: 300,
      searchPath: [],
      applicationName: "opportune",
    });
  });

  test("takes a URL from the environment, and keys beside it go before it", () => {
    const env = { DATABASE_URL: "postgresql://ada:p%40ss%2Fword@db.example.com:6543/shop" };
    expect(load('url: "${DATABASE_URL}", database: crm, statement_timeout: 90 seconds, search_path: [shop, public], application_name: night', env)).toEqual({
      type: "postgres",
      host: "db.example.com",
      port: 6543,
      user: "ada",
      password: "p@ss/word",
      database: "crm",
      ssl: { ca: null, rejectUnauthorized: true },
      statementTimeoutSeconds: 90,
      searchPath: ["shop", "public"],
      applicationName: "night",
    });
  });

  test.each([
    ["host: db.example.com", { ca: null, rejectUnauthorized: true }],
    ["host: 127.0.0.1", null],
    ["host: /var/run/postgresql", null],
    ['url: "postgres://[::1]/shop"', null],
    ['url: "postgres://db.example.com/shop?sslmode=disable"', null],
    ['url: "postgres://localhost/shop?sslmode=require"', { ca: null, rejectUnauthorized: true }],
    ["host: db.example.com, ssl: false", null],
    ["host: localhost, ssl: true", { ca: null, rejectUnauthorized: true }],
    ["host: db.example.com, ssl: {ca: certs/db.pem}", { ca: "certs/db.pem", rejectUnauthorized: true }],
    ["host: db.example.com, ssl: {reject_unauthorized: false}", { ca: null, rejectUnauthorized: false }],
  ])("verifies certificates unless told otherwise: %s", (keys, ssl) => {
    expect(load(keys)).toMatchObject({ ssl });
  });

  test.each([
    ["path: shop.duckdb", 'unknown key "path" in targets.dev'],
    ["hots: db", 'Did you mean "host"?'],
    ["ssl: on", "ssl is"],
    ["port: 70000", "port is 70000"],
    ['url: "mysql://db/shop"', "expected a URL such as postgres://user@host:5432/database"],
    ['url: "postgres://db/shop?options=x"', "expected a URL such as postgres://user@host:5432/database"],
  ])("names the slip in %s", (keys, message) => {
    expect(linesOf(problemsOf({ ...BASE, ...target(keys) })).join("\n")).toContain(message);
  });

  test("never shows a password, nor a URL that may hold one", () => {
    const lines = [
      ...linesOf(problemsOf({ ...BASE, ...target('url: "postgres://ada:very-secret@db/shop?x=1"') })),
      ...linesOf(problemsOf({ ...BASE, ...target("password: {x: very-secret}") })),
      ...linesOf(problemsOf({ ...BASE, ...target("password: [very-secret]") })),
    ].join("\n");
    expect(lines).toContain("not shown here");
    expect(lines).not.toContain("very-secret");
  });
});
