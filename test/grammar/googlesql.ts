/** GoogleSQL's own analyzer, as BigQuery has it: grammar, names, types and functions, against a catalog of tables. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { insertRows, scriptText } from "../../src/warehouse/bigquery/script.js";
import type { AppendColumn, Param, Script } from "../../src/warehouse/types.js";
import { freePort } from "../support/free-port.js";
import { shapeOf, type Catalog, type CatalogColumn, type Fault, type Grammar, type Verdict } from "./grammar.js";

/** For what hangs: it is up within a second, or ends by itself. ms */
const START_TIMEOUT = 120_000;

/** What of the package is used; it is not installed where types are checked. */
interface Client {
  formatSql(request: { sql: string }): Promise<unknown>;
  getLanguageOptions(request: { maximumFeatures: boolean }): Promise<Record<string, unknown>>;
  registerCatalog(request: { simpleCatalog: unknown }): Promise<{ registeredId: unknown }>;
  extractTableNamesFromStatement(request: { sqlStatement: string; options: unknown }): Promise<{ tableName: { tableNameSegment: string[] }[] }>;
}

interface Call {
  path: string;
  requestSerialize(request: object): Buffer;
  responseDeserialize(response: Buffer): { resolvedStatement: object };
}

/** The gRPC client behind it. */
interface Service {
  constructor: { service: { Analyze: Call; Parse: Call } };
  makeUnaryRequest<T>(
    path: string,
    write: Call["requestSerialize"],
    read: (response: Buffer) => T,
    request: object,
    done: (error: Error | null, answer: T) => void,
  ): void;
}

/** Statements are found in `folder`, where the package is installed. */
export async function startGoogleSql(folder: string): Promise<GoogleSql> {
  const own = createRequire(join(folder, "index.js"));
  // The trees of arbitration's parts are deeper than it reads otherwise.
  const protocol = own("protobufjs") as Record<"Reader" | "util", { recursionLimit: number }>;
  protocol.Reader.recursionLimit = protocol.util.recursionLimit = 1_000;
  const library = join(folder, "@fivetrandevelopers/zetasql/lib");
  const program = `remote_server${process.arch.startsWith("arm") ? "_arm" : ""}${process.platform === "darwin" ? "" : ".so"}`;
  const port = await freePort();
  // It listens on the loopback interface alone.
  const server = spawn(join(library, "zetasql", program), ["localhost", String(port)], { stdio: "ignore" });
  process.once("exit", () => server.kill("SIGKILL"));
  // A client that finds nobody asks again at ever longer intervals: it is made once somebody is there.
  for (const deadline = Date.now() + START_TIMEOUT; !(await listening(port)); await sleep(50))
    if (server.exitCode !== null || server.signalCode !== null || Date.now() > deadline) throw new Error("GoogleSQL's analyzer didn't start.");
  const { ZetaSQLClient } = own(join(library, "ZetaSQLClient.js")) as { ZetaSQLClient: (new () => Client) & { init(port: number): void; API: Service } };
  ZetaSQLClient.init(port);
  const client = new ZetaSQLClient();
  const kinds = readFileSync(join(library, "zetasql/protos/zetasql/resolved_ast/resolved_node_kind.proto"), "utf8");
  const language = {
    ...(await client.getLanguageOptions({ maximumFeatures: true })),
    productMode: "PRODUCT_EXTERNAL",
    supportedStatementKinds: [...new Set(kinds.match(/RESOLVED_\w+_STMT\b/g))],
  };
  return new GoogleSql(client, ZetaSQLClient.API, language, server);
}

async function listening(port: number): Promise<boolean> {
  const socket = connect(port, "localhost");
  const is = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return is;
}

export class GoogleSql implements Grammar {
  readonly #client: Client;
  readonly #service: Service;
  readonly #language: object;
  readonly #server: ChildProcess;
  readonly #tables = new Map<string, string[]>();
  readonly #registered = new Map<string, unknown>();
  readonly #verdicts = new Map<string, Verdict>();
  readonly #inserts = new Map<string, Verdict>();
  readonly #scripts = new Map<string, Fault | null>();

  constructor(client: Client, service: Service, language: object, server: ChildProcess) {
    this.#client = client;
    this.#service = service;
    this.#language = language;
    this.#server = server;
  }

  stop(): void {
    this.#server.kill("SIGKILL");
  }

  typeOf(duckDbType: string): object {
    return { typeKind: TYPES[duckDbType.replace(/\(.*$/, "")] ?? "TYPE_JSON" };
  }

  async #tablesOf(sql: string): Promise<string[]> {
    const shape = shapeOf(sql);
    let names = this.#tables.get(shape);
    if (names === undefined) {
      // What can't be read has its fault told by check.
      const found = await this.#client.extractTableNamesFromStatement({ sqlStatement: sql, options: this.#language }).catch(() => ({ tableName: [] }));
      names = found.tableName.map(({ tableNameSegment }) => tableNameSegment.join("."));
      this.#tables.set(shape, names);
    }
    return names;
  }

  /** Each statement once for the tables it names. */
  async check(written: string, params: readonly Param[], catalog: Catalog): Promise<Verdict> {
    // Of a statement under a condition, which is scripting, the statement.
    const sql = written.replace(/^if exists \(.*\) then (.*); end if$/ms, "$1");
    const used = (await this.#tablesOf(sql)).map((name) => [name, catalog.get(name)]);
    const key = JSON.stringify([shapeOf(sql), used, [...new Set(params.map(typeOfParameter))]]);
    const known = this.#verdicts.get(key);
    if (known !== undefined) return known;
    const verdict = await this.#analyze(sql, params, catalog);
    this.#verdicts.set(key, verdict);
    return verdict;
  }

  #analyze(sql: string, params: readonly Param[], catalog: Catalog): Promise<Verdict> {
    return this.#resolve(
      sql,
      params.map((value, i) => ({ name: `p${String(i + 1)}`, type: typeOfParameter(value) })),
      catalog,
    );
  }

  async #resolve(sql: string, queryParameters: readonly { name: string; type: object }[], catalog: Catalog): Promise<Verdict> {
    const { Analyze: analyze } = this.#service.constructor.service;
    const options = { languageOptions: this.#language, queryParameters, errorMessageMode: "ERROR_MESSAGE_ONE_LINE", defaultTimezone: "UTC" };
    const read = (bytes: Buffer): object => (DEFINES.test(sql) ? analyze.responseDeserialize(bytes).resolvedStatement : {});
    try {
      const answer = await this.#call(analyze, { sqlStatement: sql, registeredCatalogId: await this.#register(catalog), options }, read);
      return { fault: null, change: DEFINES.test(sql) ? changeOf(answer) : null };
    } catch (error) {
      return { fault: faultOf(error), change: null };
    }
  }

  /** The script is parsed as one, as its statements are analysed one by one; the insert that the adapter adds to them is analysed here. */
  async checkScript(script: Script, catalog: Catalog): Promise<{ sql: string; fault: Fault | null }> {
    const { fill } = script;
    if (fill !== undefined) {
      const sql = insertRows(fill.table, fill.columns);
      const known = this.#inserts.get(sql) ?? (await this.#resolve(sql, [{ name: "rows", type: rowsType(fill.columns) }], catalog));
      this.#inserts.set(sql, known);
      if (known.fault !== null) return { sql, fault: known.fault };
    }
    const { sql } = scriptText(script);
    const key = shapeOf(sql);
    let fault = this.#scripts.get(key);
    if (fault === undefined) {
      const request = { sqlStatement: sql, options: this.#language, allowScript: true };
      fault = await this.#call(this.#service.constructor.service.Parse, request, () => ({})).then(() => null, faultOf);
      this.#scripts.set(key, fault);
    }
    return { sql, fault };
  }

  /** Answers that nobody looks at stay bytes: arbitration's tree is deeper than its own client reads. */
  #call({ path, requestSerialize }: Call, request: object, read: (bytes: Buffer) => object): Promise<object> {
    return new Promise((resolve, reject) => {
      this.#service.makeUnaryRequest(path, requestSerialize, read, request, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
  }

  async #register(catalog: Catalog): Promise<unknown> {
    const key = JSON.stringify([...catalog]);
    let id = this.#registered.get(key);
    if (id === undefined) {
      id = (await this.#client.registerCatalog({ simpleCatalog: simpleCatalog(catalog, this.#language) })).registeredId;
      this.#registered.set(key, id);
    }
    return id;
  }
}

const DEFINES = /^\s*(?:--.*\n\s*)*(?:create|alter|drop)\b/i;

function faultOf(error: unknown): Fault {
  const details = (error as { details?: string }).details ?? String(error);
  const place = /^(.*) \[at (\d+):(\d+)\]$/s.exec(details);
  return place === null ? { message: details, line: 1 } : { message: place[1] ?? "", line: Number(place[2]) };
}

/** What a definition does to the catalog: the analyzer says which table it is, and which columns it has. */
function changeOf(resolved: unknown): Verdict["change"] {
  const [kind, node] = Object.entries(resolved as Record<string, unknown>).find(([name]) => /^resolved\w+Node$/.test(name)) ?? [];
  const path = find(node, "namePath") as string[] | undefined;
  if (path === undefined) return null;
  const table = path.join(".");
  if (kind === "resolvedDropStmtNode") return { table, columns: [], does: "drop" };
  if (kind === "resolvedAlterObjectStmtNode") {
    const actions = find(node, "alterActionList") as { resolvedAddColumnActionNode?: { columnDefinition: Named } }[];
    const added = actions.flatMap(({ resolvedAddColumnActionNode: action }) => (action === undefined ? [] : [action.columnDefinition]));
    return { table, columns: added.map(columnOf), does: "widen" };
  }
  if (kind !== "resolvedCreateStatementNode") return null;
  const defined = (find(node, "columnDefinitionList") ?? find(node, "outputColumnList")) as Named[] | undefined;
  return defined === undefined ? null : { table, columns: defined.map(columnOf), does: "define" };
}

/** A column as a table's or a query's definition names it. */
interface Named {
  name: string;
  type?: object;
  column?: { type: object };
}

function columnOf({ name, type, column }: Named): CatalogColumn {
  return { name, type: type ?? column?.type ?? TEXT };
}

/** The first list of that name, from the outside in. */
function find(node: unknown, name: string): unknown[] | undefined {
  let level: unknown[] = [node];
  while (level.length > 0) {
    for (const each of level) {
      const list = (each as Record<string, unknown>)[name];
      if (Array.isArray(list) && list.length > 0) return list as unknown[];
    }
    level = level.flatMap((each) =>
      Object.values(each as Record<string, unknown>).filter((value) => typeof value === "object" && value !== null && !Array.isArray(value)),
    );
  }
  return undefined;
}

/** As the adapter declares them: a null that is bound has the type of text. */
function typeOfParameter(value: Param): object {
  if (typeof value === "boolean") return FLAG;
  return typeof value === "number" ? NUMBER : TEXT;
}

/** Of the parameter that holds the rows of a fill. */
function rowsType(columns: readonly AppendColumn[]): object {
  const field = columns.map(({ name, kind }) => ({ fieldName: name, fieldType: { text: TEXT, integer: NUMBER, timestamp: TIME }[kind] }));
  return { typeKind: "TYPE_ARRAY", arrayType: { elementType: { typeKind: "TYPE_STRUCT", structType: { field } } } };
}

const TEXT = { typeKind: "TYPE_STRING" };
const NUMBER = { typeKind: "TYPE_INT64" };
const FLAG = { typeKind: "TYPE_BOOL" };
const TIME = { typeKind: "TYPE_TIMESTAMP" };

/** What a table of DuckDB's types would have. */
const TYPES: Record<string, string> = {
  VARCHAR: "TYPE_STRING",
  TIMESTAMP: "TYPE_TIMESTAMP",
  "TIMESTAMP WITH TIME ZONE": "TYPE_TIMESTAMP",
  DATE: "TYPE_DATE",
  BOOLEAN: "TYPE_BOOL",
  BIGINT: "TYPE_INT64",
  INTEGER: "TYPE_INT64",
  DOUBLE: "TYPE_DOUBLE",
  DECIMAL: "TYPE_NUMERIC",
};

/** What of a dataset's INFORMATION_SCHEMA is asked for. */
const INFORMATION_SCHEMA: Record<string, Record<string, object>> = {
  TABLES: { table_catalog: TEXT, table_schema: TEXT, table_name: TEXT, table_type: TEXT, creation_time: TIME, ddl: TEXT },
  COLUMNS: { table_catalog: TEXT, table_schema: TEXT, table_name: TEXT, column_name: TEXT, ordinal_position: NUMBER, is_nullable: TEXT, data_type: TEXT },
  SCHEMATA: { catalog_name: TEXT, schema_name: TEXT, creation_time: TIME, location: TEXT },
};

interface SimpleCatalog {
  name: string;
  table: { name: string; column: readonly CatalogColumn[] }[];
  catalog: SimpleCatalog[];
}

/** A path is looked up part by part, and as one dotted name where that is what is quoted. */
function simpleCatalog(catalog: Catalog, language: object): object {
  const root: SimpleCatalog = { name: "", table: [], catalog: [informationSchema()] };
  for (const [name, column] of catalog) {
    const parts = name.split(".");
    root.table.push({ name, column });
    let inner = root;
    for (const part of parts.slice(0, -1)) {
      let next = inner.catalog.find((each) => each.name === part);
      if (next === undefined) inner.catalog.push((next = { name: part, table: [], catalog: [informationSchema()] }));
      inner = next;
    }
    if (parts.length > 1) inner.table.push({ name: parts.at(-1) ?? "", column });
  }
  return { ...root, builtinFunctionOptions: { languageOptions: language } };
}

function informationSchema(): SimpleCatalog {
  const tables = Object.entries(INFORMATION_SCHEMA).map(([name, columns]) => ({
    name,
    column: Object.entries(columns).map(([column, type]) => ({ name: column, type })),
  }));
  return { name: "INFORMATION_SCHEMA", table: tables, catalog: [] };
}
