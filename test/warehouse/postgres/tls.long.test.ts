/** TLS to a Postgres whose certificate a private authority signed. */
import { chmodSync, chownSync, copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PostgresConnection } from "../../../src/project/targets/postgres.js";
import { openPostgres } from "../../../src/warehouse/postgres/warehouse.js";
import { asSuperuser, serverConnection } from "../../support/postgres.js";
import { startPostgres, type PostgresServer } from "../../support/postgres-server.js";
import { rejection } from "../support.js";

const CERTIFICATES = join(import.meta.dirname, "../../data/tls");
/** Of the server's own session: the version of TLS, null without. */
const TLS_VERSION = "select version from pg_stat_ssl where pid = pg_backend_pid()";

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
  const { uid, gid } = statSync(server.dataFolder);
  // The names that Postgres looks for; it takes a key that is its own user's alone.
  for (const [from, to] of [
    ["server.pem", "server.crt"],
    ["server.key", "server.key"],
  ] as const) {
    const file = join(server.dataFolder, to);
    copyFileSync(join(CERTIFICATES, from), file);
    chmodSync(file, 0o600);
    chownSync(file, uid, gid);
  }
  await asSuperuser("alter system set ssl = on", server.url);
  await server.stop();
  await server.start();
});

afterAll(() => server.dispose());

async function tlsVersion(ssl: PostgresConnection["ssl"], host = "127.0.0.1"): Promise<unknown> {
  const warehouse = await openPostgres({ ...serverConnection(server.url), host, ssl }, { root: CERTIFICATES });
  try {
    return (await warehouse.query({ sql: TLS_VERSION, params: [] }))[0]?.["version"];
  } finally {
    await warehouse.close();
  }
}

it("is spoken where the authority's certificate is named, relative to the project", async () => {
  expect(await tlsVersion({ ca: "ca.pem", rejectUnauthorized: true })).toMatch(/^TLSv1\.[23]$/);
  expect(await tlsVersion(null)).toBeNull();
});

it("is refused by us where nobody we trust signed, or the certificate is another host's", async () => {
  expect(await rejection(tlsVersion({ ca: null, rejectUnauthorized: true }))).toMatchObject({
    problems: [{ code: "warehouse/unreachable", hint: expect.stringContaining("`ssl: {ca: FILE}`") as string }],
  });
  const message = await rejection(tlsVersion({ ca: "ca.pem", rejectUnauthorized: true }, "localhost"));
  expect(message).toMatchObject({ problems: [{ code: "warehouse/unreachable" }] });
  expect(String(message)).toMatch(/localhost/);
});
