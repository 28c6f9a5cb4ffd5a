/** Targets of type postgres: a server's name and keys, or a URL. */
import * as z from "zod";
import { isLoopback } from "../../core/loopback.js";
import { duration, insteadOfType, text, whole } from "../schema/fields.js";
import { postgresUrl, type PostgresUrl } from "./postgres-url.js";
import { everyTarget, type TargetType } from "./target.js";

export interface PostgresConnection {
  type: "postgres";
  /** Name, address, or the folder of a socket. */
  host: string;
  port: number;
  /** Null: as libpq has it, PGUSER or the system's user; likewise the database. */
  user: string | null;
  /** Never logged. */
  password: string | null;
  database: string | null;
  /** Null: no TLS. `ca`: PEM file relative to the project root; null: the system's authorities. */
  ssl: { ca: string | null; rejectUnauthorized: boolean } | null;
  /** Startup options of the server, `-c name=value`; some hosts find the database by them. */
  options: string | null;
  /** Whether to bind signing in to the TLS connection, where the server offers it. */
  channelBinding: boolean;
  statementTimeoutSeconds: number;
  /** Schemas in which unqualified names of the user's SQL are looked up; empty: as the server has it. */
  searchPath: readonly string[];
  applicationName: string;
}

const SSL = "true, false, or a mapping with ca and reject_unauthorized";

export const schema = z.strictObject({
  type: z.literal("postgres"),
  url: text.optional().describe("Everything below in one, `${DATABASE_URL}`; keys beside it go before it."),
  host: text.optional().describe("Server's name or address; localhost if nothing names one."),
  port: whole(1).max(65_535).optional().describe("5432 if nothing names one."),
  user: text.optional().describe("User to connect as."),
  password: text.optional().describe("Its password: ${PGPASSWORD}."),
  database: text.optional().describe("Database to work in."),
  ssl: z
    .union([
      z.boolean({ error: SSL }),
      z.strictObject(
        {
          ca: text.optional().describe("PEM file of the authority that signed the server's certificate, relative to the project."),
          reject_unauthorized: z.boolean().default(true).describe("False takes any certificate: for a try, not for real data."),
        },
        insteadOfType(SSL),
      ),
    ])
    .optional()
    .describe("TLS with a verified certificate. On unless the server is on this machine."),
  ...everyTarget,
  statement_timeout: duration.prefault("5 minutes").describe("A statement that takes longer is cancelled."),
  search_path: z.array(text).default([]).describe("Schemas in which tables without one are looked up; the server's own choice if empty."),
  application_name: text.default("opportune").describe("As the server lists the connection."),
});

type Written = z.output<typeof schema>;

export const postgres: TargetType<Written, PostgresConnection> = {
  check(target, path, report) {
    const url = target.url === undefined ? null : postgresUrl(target.url);
    if (url !== null && "problem" in url) report([...path, "url"], "postgres-url", `${path.join(".")}.url ${url.problem}`, url.hint);
    if (typeof target.ssl === "object" && target.ssl.ca !== undefined && !target.ssl.reject_unauthorized) {
      const message = `${path.join(".")}.ssl.ca has no effect beside reject_unauthorized: false, which takes any certificate`;
      report([...path, "ssl", "ca"], "no-effect", message, "leave one of them out", "key");
    }
  },
  connection(target) {
    const read = target.url === undefined ? null : postgresUrl(target.url);
    if (read !== null && "problem" in read) throw new TypeError(`the URL of a target ${read.problem}`);
    const url = read;
    const host = target.host ?? url?.host ?? "localhost";
    return {
      type: "postgres",
      host,
      port: target.port ?? url?.port ?? 5432,
      user: target.user ?? url?.user ?? null,
      password: target.password ?? url?.password ?? null,
      database: target.database ?? url?.database ?? null,
      ssl: sslOf(target.ssl ?? url?.ssl ?? !isHere(host)),
      options: url?.options ?? null,
      channelBinding: url?.channelBinding ?? false,
      statementTimeoutSeconds: target.statement_timeout,
      searchPath: target.search_path.length > 0 ? target.search_path : [url?.schema ?? []].flat(),
      applicationName: target.application_name,
    };
  },
  name: ({ host, port, database }) => `${database === null ? "" : `${database} on `}${host}:${String(port)}`,
  secrets: ({ password }) => [password],
  packages: ["pg"],
  comeAlong: true,
  metered: false,
  starter: () => ` {type: postgres, url: "\${DATABASE_URL}"} # postgres://user:password@host:5432/database, in the environment or in .env`,
};

/** A socket or a loopback address: nobody listens in between. */
function isHere(host: string): boolean {
  return host.startsWith("/") || isLoopback(host);
}

function sslOf(written: NonNullable<Written["ssl"]> | NonNullable<PostgresUrl["ssl"]>): PostgresConnection["ssl"] {
  if (written === false) return null;
  if (written === true) return { ca: null, rejectUnauthorized: true };
  if ("rejectUnauthorized" in written) return written;
  return { ca: written.ca ?? null, rejectUnauthorized: written.reject_unauthorized };
}
