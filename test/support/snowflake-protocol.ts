/** A server that speaks as much of Snowflake's protocol as the client needs, writes down what it is sent, and answers as a test wants it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import type { SnowflakeConnection } from "../../src/project/targets/snowflake.js";

export interface Seen {
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  body: {
    sqlText?: string;
    parameters?: Record<string, unknown>;
    bindings?: Record<string, { type: string; value: unknown }>;
    requestId?: string;
    describeOnly?: boolean;
    data?: Record<string, unknown>;
  };
  authorization: string | undefined;
}

/** What to do with a request: `hang` never answers, `reset` cuts the connection, a number is the HTTP status. */
type Answer =
  | "hang"
  | "reset"
  | number
  | { columns?: readonly [name: string, type: string][]; rows?: readonly unknown[][] }
  | { code: string; message: string; sqlState?: string };

export interface Protocol {
  connection: SnowflakeConnection;
  seen: Seen[];
  /** The statements that arrived, without the one that sets the session up. */
  statements(): Seen[];
  /** Resolves once a request to that path has arrived, the n-th of it. */
  arrived(path: string, nth?: number): Promise<Seen>;
  /** How the statements are answered, in order; from then on with nothing. */
  answers: Answer[];
  /** How a sign-in is answered. */
  signIn: Answer;
}

const SESSION = {
  token: "session-token",
  masterToken: "master-token",
  sessionId: 1,
  validityInSeconds: 3600,
  masterValidityInSeconds: 14400,
  parameters: [{ name: "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", value: 65280 }],
};

export async function startProtocol(): Promise<Protocol> {
  const seen: Seen[] = [];
  const watchers = new Set<() => void>();
  const hanging = new Set<ServerResponse>();
  const protocol: Omit<Protocol, "connection"> = {
    seen,
    statements: () => seen.filter(({ path, body }) => path === "/queries/v1/query-request" && !(body.sqlText ?? "").startsWith("alter session")),
    arrived: (path, nth = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = seen.filter((request) => request.path === path)[nth - 1];
          if (found === undefined) return;
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        look();
      }),
    answers: [],
    signIn: {},
  };
  let session: unknown = null;
  const server = createServer((request, response) => {
    // Whoever goes away amid a request hears nothing.
    const ask = (body: Awaited<ReturnType<typeof readBody>>): void => {
      // As the server does, it says with each result how the session is set.
      session ??= body.data?.["SESSION_PARAMETERS"];
      const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
      const at: Seen = { path: pathname, query: searchParams, body, authorization: request.headers.authorization };
      seen.push(at);
      for (const watch of watchers) watch();
      const answer = answerOf(at, protocol);
      if (answer === "hang") hanging.add(response);
      else if (answer === "reset") request.socket.destroy();
      else respond(response, at, answer, session);
      // As the server does: a statement that is cancelled fails.
      if (/abort-request$/.test(pathname))
        for (const waiting of hanging) respond(waiting, at, { code: "000604", message: "SQL execution canceled", sqlState: "57014" }, session);
    };
    readBody(request).then(ask, () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const connection: SnowflakeConnection = {
    type: "snowflake",
    account: "myorg-shop",
    user: "OPPORTUNE",
    signIn: { kind: "password", password: "pass-secret" },
    role: null,
    warehouse: null,
    database: "SHOP",
    sessionSchema: null,
    queryTag: "opportune",
    statementTimeoutSeconds: 20,
    url,
  };
  return Object.assign(protocol, { connection });
}

function answerOf({ path, body }: Seen, protocol: Omit<Protocol, "connection">): Answer {
  if (path === "/session/v1/login-request") return protocol.signIn;
  if (path !== "/queries/v1/query-request" || (body.sqlText ?? "").startsWith("alter session")) return {};
  return protocol.answers.shift() ?? {};
}

function respond(response: ServerResponse, { path }: Seen, answer: Exclude<Answer, "hang" | "reset">, session: unknown): void {
  if (response.writableEnded) return;
  if (typeof answer === "number") response.writeHead(answer).end();
  else {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify(
        "code" in answer ? failure(answer) : { success: true, code: null, message: null, data: path.includes("login") ? SESSION : result(answer, session) },
      ),
    );
  }
}

function failure({ code, message, sqlState }: { code: string; message: string; sqlState?: string }): unknown {
  return { success: false, code, message, data: { errorCode: code, sqlState, queryId: "query-1" } };
}

function result(
  { columns = [["STATUS", "text"]], rows = [] }: { columns?: readonly [string, string][]; rows?: readonly unknown[][] },
  session: unknown,
): unknown {
  return {
    queryId: "query-1",
    queryResultFormat: "json",
    parameters: Object.entries(session ?? {}).map(([name, value]) => ({ name, value: value as unknown })),
    rowtype: columns.map(([name, type]) => ({ name, type, nullable: true, scale: 0, precision: 38, length: null, byteLength: null })),
    rowset: rows,
    total: rows.length,
    returned: rows.length,
    version: 1,
  };
}

async function readBody(request: IncomingMessage): Promise<Seen["body"]> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes).toString();
  return text === "" ? {} : (JSON.parse(text) as Seen["body"]);
}
