/**
 * A warehouse in several languages: what the job asks is really run by DuckDB, which gives real answers, and every statement is at
 * the same time written as other warehouses would have been asked. So no list of statements has to be kept, and one that is
 * ungrammatical elsewhere stops nothing here: all of them are found at once.
 */
import type { CompiledQuery, QueryCompiler } from "kysely";
import type { Dialect } from "../../src/warehouse/dialect.js";
import type { AppendColumn, Column, Labels, Param, Row, Script, Statement, Warehouse } from "../../src/warehouse/types.js";

/** All writings of a piece of SQL in one text, between characters that no SQL has. Side 0 is the one that runs. */
const [BEGIN, BETWEEN, END] = ["\u{e000}", "\u{e001}", "\u{e002}"];
const WRITINGS = new RegExp(`${BEGIN}([^${END}]*)${END}`, "g");

function together(writings: readonly string[]): string {
  return new Set(writings).size === 1 ? (writings[0] ?? "") : BEGIN + writings.join(BETWEEN) + END;
}

/** One side of whatever holds several writings. */
function only(side: number, value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll(WRITINGS, (_, writings: string) => writings.split(BETWEEN)[side] ?? "");
  return Array.isArray(value) ? value.map((each) => only(side, each)) : value;
}

/** Words that take SQL are given each side of it, and give all of them: writings never stand in one another. */
function all(sides: readonly unknown[]): unknown {
  const [runs, ...checked] = sides;
  if (typeof runs === "string") return together(sides as string[]);
  if (typeof runs === "function")
    return (...args: unknown[]) => all(sides.map((word, i) => (word as (...given: unknown[]) => unknown)(...(only(i, args) as unknown[]))));
  // Statements: each belongs to one side, and is nothing on the others.
  if (Array.isArray(runs)) return sides.flatMap((list, side) => (list as string[]).map((sql) => together(sides.map((_, i) => (i === side ? sql : "")))));
  if (typeof runs === "object" && runs !== null)
    return Object.fromEntries(Object.keys(runs).map((name) => [name, all(sides.map((each) => (each as Record<string, unknown>)[name]))]));
  return checked[0];
}

/** A compiled query → its parameters on each side, as the query compilers bind differently: BigQuery's writes nulls out. */
const parametersOf = new Map<string, readonly (readonly Param[])[]>();

function allCompilers(compilers: readonly QueryCompiler[]): QueryCompiler {
  return {
    compileQuery<R>(...[node, id]: Parameters<QueryCompiler["compileQuery"]>): CompiledQuery<R> {
      const compiled = compilers.map((compiler) => compiler.compileQuery(node, id));
      // Words in a piece of raw SQL are in all writings already.
      const sql = together(compiled.map((query, side) => only(side, query.sql) as string));
      parametersOf.set(
        sql,
        compiled.map(({ parameters }) => parameters as readonly Param[]),
      );
      return { query: node, queryId: id, sql, parameters: compiled[0]?.parameters ?? [] };
    },
  };
}

function allDialects(dialects: readonly Dialect[]): Dialect {
  return {
    ...(all(dialects) as Dialect),
    name: dialects[1]?.name ?? "duckdb",
    // No SQL: how often the one that runs is written to.
    // Every statement is asked, Postgres' own too.
    ...(dialects[0] === undefined ? {} : { marks: dialects[0].marks, readsByRows: true, keepsTables: true }),
    queryCompiler: () => allCompilers(dialects.map((dialect) => dialect.queryCompiler())),
  };
}

/** The ledger's own objects ask what others give them. */
export const HANDS_OVER = /^src\/ledger\/(?:ledger\.ts|lease\/)/;

/** A statement as one of the other warehouses would have been asked it. */
export interface Asked {
  sql: string;
  params: readonly Param[];
  /** Who asked, as file:line; null where it was not the project's own code. */
  origin: string | null;
}

/** Who listens: in the order of the dialects. */
export interface Listener {
  /** A statement; null to those that would be asked nothing. */
  asked(asked: readonly (Asked | null)[]): Promise<void>;
  /** A script, once its statements were told. */
  scripted(scripts: readonly Script[], origin: string | null): Promise<void>;
}

/** Runs on one warehouse, and tells what others, of these dialects, would be asked. */
export function twinWarehouse(inner: Warehouse, dialects: readonly Dialect[], listener: Listener): Warehouse {
  const dialect = allDialects([inner.dialect, ...dialects]);
  const side = ({ sql, params, ...rest }: Statement, at: number): Statement => ({
    ...rest,
    sql: said(only(at, sql) as string),
    params: parametersAt(at, sql, params),
  });
  const tell = (statements: readonly Statement[], origin: string | null): Promise<void> =>
    statements.reduce(async (before, statement) => {
      await before;
      const others = dialects.map((_, i) => side(statement, i + 1));
      await listener.asked(others.map(({ sql, params }) => (sql === "" ? null : { sql, params, origin })));
    }, Promise.resolve());
  /** Told once it has run: what fails there is meant to, as the query of a broken segment. */
  const ask = async <T>(statement: Statement, nothing: T, run: (statement: Statement) => Promise<T>): Promise<T> => {
    const origin = askedFrom();
    const own = side(statement, 0);
    const result = own.sql === "" ? nothing : await run(own);
    await tell([statement], origin);
    return result;
  };
  const execute = (statement: Statement): Promise<number> => ask(statement, 0, (run) => inner.execute(run));
  return {
    dialect,
    usage: inner.usage,
    label: (labels: Labels) => inner.label(labels),
    hasTable: (schema, table) => inner.hasTable(schema, table),
    // DuckDB can tell of none, and what follows on a figure is to be heard.
    estimate: (statement) => ask(statement, 0, () => Promise.resolve(0)),
    plan: (statement) => ask(statement, undefined, (run) => inner.plan(run)),
    describe: (statement) => ask<Column[]>(statement, [], (run) => inner.describe(run)),
    query: (statement) => ask<Row[]>(statement, [], (run) => inner.query(run)),
    execute,
    async *stream(statement, batchSize) {
      const run = await ask(statement, null, (own) => Promise.resolve(own));
      if (run !== null) yield* inner.stream(run, batchSize);
    },
    append(table: string, columns: readonly AppendColumn[]) {
      const name = only(0, table) as string;
      return inner.append(name.includes(".") ? name : `main.${name}`, columns);
    },
    async script({ work = [], fill, statements }) {
      const origin = askedFrom();
      const of = (at: number): Script => {
        const own = <S extends Statement>(list: readonly S[]): S[] => list.map((each) => ({ ...each, ...side(each, at) })).filter(({ sql }) => sql !== "");
        const filled = fill === undefined ? {} : { fill: { ...fill, table: only(at, fill.table) as string } };
        return { work: own(work), ...filled, statements: own(statements) };
      };
      const rows = await inner.script(of(0));
      await tell([...work, ...statements], origin);
      await listener.scripted(
        dialects.map((_, i) => of(i + 1)),
        origin,
      );
      return rows;
    },
    transaction: (work) => inner.transaction(work),
    // DuckDB has one writer, and needs none: here it is whoever writes already.
    beside: execute,
    // DuckDB knows none; the others do.
    identity: () => Promise.resolve("here"),
    cancel: () => inner.cancel(),
    close: () => inner.close(),
  };
}

/** Nothing where comments alone are left of it: another side has the statement. */
function said(sql: string): string {
  return sql.replaceAll(/^--.*$/gm, "").trim() === "" ? "" : sql;
}

/** Those of the side, of a compiled query or of a statement that one was put into. */
function parametersAt(at: number, sql: string, params: readonly Param[]): readonly Param[] {
  if (at === 0) return params;
  const whole = parametersOf.get(sql) ?? [...parametersOf].find(([query, [own]]) => own?.length === params.length && sql.includes(query))?.[1];
  return whole?.[at] ?? params;
}

/** Deep enough to reach the project's own code from within an adapter. */
Error.stackTraceLimit = 60;

/** The first place of src/ outside the adapters that the call came through. */
function askedFrom(): string | null {
  const places = (new Error().stack ?? "").split("\n").flatMap((line) => {
    const found = /\/(src\/(?!warehouse\/)[\w/.-]+\.ts):(\d+)/.exec(line);
    return found === null ? [] : [`${found[1] ?? ""}:${found[2] ?? ""}`];
  });
  // A heartbeat is the lease's own.
  return places.find((place) => !HANDS_OVER.test(place)) ?? places[0] ?? null;
}
