/** Targets of type postgres: what may be written, what it means, and that no secret is shown. */
import { describe, expect, test } from "vitest";
import { loadProject } from "../../src/project/build/load.js";
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
      options: null,
      channelBinding: false,
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
      options: null,
      channelBinding: false,
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
    ["path: shop.duckdb", 'Unknown key "path" in targets.dev'],
    ["hots: db", 'Did you mean "host"?'],
    ["ssl: on", "ssl is"],
    ["port: 70000", "port is 70000"],
  ])("names the slip in %s", (keys, message) => {
    expect(linesOf(problemsOf({ ...BASE, ...target(keys) })).join("\n")).toContain(message);
  });

  test("never shows a password, nor a URL that may hold one", () => {
    const lines = [
      ...linesOf(problemsOf({ ...BASE, ...target('url: ["postgres://ada:very-secret@db/shop"]') })),
      ...linesOf(problemsOf({ ...BASE, ...target('url: "very-secret"') })),
      ...linesOf(problemsOf({ ...BASE, ...target('url: "postgres://ada:very-secret@db/shop?x=1"') })),
      ...linesOf(problemsOf({ ...BASE, ...target('url: "postgres://ada:very-secret%@db/shop"') })),
      ...linesOf(problemsOf({ ...BASE, ...target('url: "postgres://ada:very-secret/x@db/shop"') })),
      ...linesOf(problemsOf({ ...BASE, ...target('url: "postgres://ada@db/shop?password=very-secret&very-secret%20x=1"') })),
      ...linesOf(problemsOf({ ...BASE, ...target("password: {x: very-secret}") })),
      ...linesOf(problemsOf({ ...BASE, ...target("password: [very-secret]") })),
    ].join("\n");
    expect(lines.split("\n")).toHaveLength(8);
    expect(lines).not.toContain("very-secret");
  });
});

const CHECKED = { ca: null, rejectUnauthorized: true };

describe("a URL as its host shows it", () => {
  test.each([
    [
      "Neon",
      "postgresql://shop_owner:npg_AbC1@ep-cool-rain-a1b2c3.eu-central-1.aws.neon.tech/shop?sslmode=require&channel_binding=require",
      {
        host: "ep-cool-rain-a1b2c3.eu-central-1.aws.neon.tech",
        user: "shop_owner",
        password: "npg_AbC1",
        database: "shop",
        ssl: CHECKED,
        channelBinding: true,
      },
    ],
    [
      "Neon, for clients that don't name the host in TLS",
      "postgres://ada:pw@eu.neon.tech/shop?sslmode=require&options=endpoint%3Dep-cool-rain",
      { options: "endpoint=ep-cool-rain", ssl: CHECKED, channelBinding: false },
    ],
    [
      "Supabase, direct",
      "postgresql://postgres:p%23w%40d@db.abcdefgh.supabase.co:5432/postgres",
      { host: "db.abcdefgh.supabase.co", user: "postgres", password: "p#w@d", database: "postgres", ssl: CHECKED },
    ],
    [
      "Supabase, the pooler in session mode",
      "postgresql://postgres.abcdefgh:pw@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
      { user: "postgres.abcdefgh", port: 5432, ssl: CHECKED },
    ],
    [
      "Heroku",
      "postgres://u1a2:p3b4@ec2-1-2-3-4.eu-west-1.compute.amazonaws.com:5432/d5c6",
      { user: "u1a2", password: "p3b4", database: "d5c6", ssl: CHECKED },
    ],
    ["Heroku, as its guide for Node has it", "postgres://u:p@ec2.amazonaws.com:5432/d?sslmode=no-verify", { ssl: { ca: null, rejectUnauthorized: false } }],
    ["libpq's own meaning of require", "postgres://u:p@db.example.com/d?uselibpqcompat=true&sslmode=require", { ssl: { ca: null, rejectUnauthorized: false } }],
    [
      "RDS, with the bundle of its authorities",
      "postgres://u:p@shop.abc.eu-west-1.rds.amazonaws.com:5432/shop?sslmode=verify-full&sslrootcert=certs/global-bundle.pem",
      { ssl: { ca: "certs/global-bundle.pem", rejectUnauthorized: true } },
    ],
    ["the system's authorities", "postgres://u:p@db.example.com/d?sslmode=verify-full&sslrootcert=system", { ssl: CHECKED }],
    [
      "Azure, whose users have an @",
      "postgres://ada@shop:pw@shop.postgres.database.azure.com:5432/shop?sslmode=require",
      { user: "ada@shop", password: "pw", host: "shop.postgres.database.azure.com" },
    ],
    ["Azure, encoded", "postgres://ada%40shop:pw@shop.postgres.database.azure.com/shop", { user: "ada@shop", password: "pw" }],
    ["an @ in a password", "postgres://ada:p@ss:w@db.example.com/shop", { user: "ada", password: "p@ss:w", host: "db.example.com" }],
    ["encoded signs", "postgres://a%3Ab:%25%2F%3F%23%5B%20@db.example.com/sh%20op", { user: "a:b", password: "%/?#[ ", database: "sh op" }],
    ["IPv6", "postgres://ada:pw@[2001:db8::1]:6000/shop", { host: "2001:db8::1", port: 6000, ssl: CHECKED }],
    ["IPv6 of this machine", "postgres://ada@[::1]/shop", { host: "::1", port: 5432, ssl: null }],
    [
      "a socket as a parameter",
      "postgresql:///shop?host=/var/run/postgresql&user=ada",
      { host: "/var/run/postgresql", user: "ada", database: "shop", ssl: null },
    ],
    ["a socket of Cloud SQL", "postgres://ada:pw@/shop?host=/cloudsql/p:europe-west1:shop", { host: "/cloudsql/p:europe-west1:shop", user: "ada", ssl: null }],
    ["a socket, encoded", "postgres://ada@%2Fvar%2Frun%2Fpostgresql/shop", { host: "/var/run/postgresql", user: "ada", database: "shop" }],
    [
      "everything as parameters",
      "postgres://?host=db.example.com&port=6000&user=ada&password=pw&dbname=shop",
      { host: "db.example.com", port: 6000, user: "ada", password: "pw", database: "shop" },
    ],
    ["Prisma", "postgresql://ada:pw@db.example.com:5432/shop?schema=crm&connection_limit=5&pool_timeout=10", { searchPath: ["crm"], ssl: CHECKED }],
    ["options of a session", "postgres://ada@localhost/shop?options=-c%20search_path%3Dcrm", { options: "-c search_path=crm" }],
    ["an old Node client", "postgres://ada@db.example.com/shop?ssl=true", { ssl: CHECKED }],
    ["TLS if there is any, on this machine", "postgres://ada@localhost/shop?sslmode=prefer", { ssl: null }],
    ["TLS if there is any, elsewhere", "postgres://ada@db.example.com/shop?sslmode=prefer", { ssl: CHECKED }],
    ["with what a line of a secret's file ends in", "postgres://ada:pw@db.example.com/shop\n", { database: "shop" }],
    ["a waiting client", "postgres://ada:pw@db.example.com/shop?connect_timeout=15&target_session_attrs=read-write", { database: "shop" }],
  ])("%s", (_, url, expected) => {
    expect(load('url: "${DATABASE_URL}"', { DATABASE_URL: url })).toMatchObject(expected);
  });

  test("stands in .env, quoted or not, with a # or none", () => {
    for (const line of ["DATABASE_URL=postgres://ada:p%23w@db.example.com/shop # ours", 'export DATABASE_URL="postgres://ada:p%23w@db.example.com/shop"\r']) {
      const root = projectFolder({ ...BASE, ...target('url: "${DATABASE_URL}"'), ".env": `${line}\n` });
      expect(loadProject(root, { env: {} }).target.connection).toMatchObject({ password: "p#w", database: "shop" });
    }
  });

  test.each([
    [
      "postgres://ada:pw@aws-0.pooler.supabase.com:6543/postgres?pgbouncer=true",
      "says pgbouncer=true, a pooler in transaction mode; a run needs one session. | Take the URL of the database itself",
    ],
    ["postgres://ada:[YOUR-PASSWORD]@db.abc.supabase.co/postgres", "holds the place for a password, not the password. | Put the password there"],
    ["postgres://ada:p#w@db.example.com/shop", "has a # before its last @. | Within a user or password write %23 for #"],
    ["postgres://ada:p/w@db.example.com/shop", "has a / before its last @. | Within a user or password write %2F for /"],
    ["postgres://ada:p?w@db.example.com/shop", "has a ? before its last @. | Within a user or password write %3F for ?"],
    ["postgres://ada:100%@db.example.com/shop", "holds a % that begins no encoded character. | Write %25 for %"],
    ["postgres://db.example.com/shop#1", "holds a #, where nothing may follow. | Write %23 for #"],
    ["postgres://ada@one.example.com:5432,two.example.com:5432/shop", "names several hosts. | Name the primary's alone"],
    [
      "postgres://ada@2001:db8::1/shop",
      "has no host and port that can be read. | Write postgres://user:password@host:5432/database; an IPv6 address in brackets: [::1]",
    ],
    ["postgres://ada@db.example.com:99999/shop", "has a port that is not from 1 to 65535. |"],
    ["postgres://ada@db.example.com/shop?sslmod=require", 'has a parameter sslmod, which is not known. | Did you mean "sslmode"?'],
    ["postgres://ada@db.example.com/shop?sslmode=on", "has an sslmode that is not known. | Write one of disable, allow, prefer,"],
    ["postgres://ada@db.example.com/shop?sslcert=a.pem", "has the parameter sslcert. | Leave it out, and sign in with a password"],
    ["postgres://ada@db.example.com/shop?application_name=x", "has the parameter application_name. | Write application_name: under the target"],
    ["postgres://ada@db.example.com/shop?target_session_attrs=standby", "asks for a server that can't be written to. |"],
    [
      "jdbc:postgresql://db.example.com/shop",
      "begins with jdbc:postgresql://, not with postgres://. | Begin it with postgres:// in place of jdbc:postgresql://",
    ],
    ["postgresql+psycopg2://ada@db.example.com/shop", "begins with postgresql+psycopg2://, not with postgres://. | Begin it with postgres://"],
    ["mysql://db/shop", "begins with mysql://, not with postgres://. | Write postgres://user:password@host:5432/database"],
    ["db.example.com/shop", "is not a URL of Postgres. | Write postgres://user:password@host:5432/database"],
    ['"postgres://ada@db.example.com/shop"', "begins with a quote. | Leave the quotes around it out"],
  ])("%s is refused with the way out", (url, expected) => {
    const lines = linesOf(problemsOf({ ...BASE, ...target('url: "${DATABASE_URL}"') }, { env: { DATABASE_URL: url } })).join("\n");
    expect(lines).toContain(`opportune.yml:3:30: targets.dev.url ${expected}`);
    expect(lines).not.toContain("ada");
  });
});
