/** Holds the statements of twin warehouses against the grammars of other warehouses, and keeps what they refuse. */
import type { Dialect } from "../../src/warehouse/dialect.js";
import type { Script, Warehouse } from "../../src/warehouse/types.js";
import type { Catalog, Fault, Grammar } from "./grammar.js";
import { placeOf } from "./place.js";
import { twinWarehouse, type Asked } from "./twin.js";

interface Refused extends Fault {
  sql: string;
  /** Where it was written and who asked, as file:line. */
  place: string;
}

/** The shipped example's data, and what the demo says of it, are DuckDB's alone; `refused` describes a user's query once more. */
export const NOT_ASKED_THERE = /^src\/(?:commands\/(?:shared\/sample|demo\/)|ledger\/install\/changed-view|segments\/refused)/;

/** A table that the job does not make, as DuckDB has it. */
type Foreign = ReadonlyMap<string, readonly { name: string; type: string }[]>;

/** The statements of one warehouse. */
export class Gate {
  readonly dialect: Dialect;
  readonly grammar: Grammar;
  /** Distinct statements. */
  readonly passed = new Set<string>();
  readonly scripts = new Set<string>();
  readonly #refused = new Map<string, Refused>();
  /** By database: what its statements have defined. */
  readonly #defined = new Map<string, Catalog>();

  constructor(dialect: Dialect, grammar: Grammar) {
    this.dialect = dialect;
    this.grammar = grammar;
  }

  async check({ sql, params, origin }: Asked & { origin: string }, database: string, foreign: Foreign): Promise<void> {
    const { defined, catalog } = this.#tablesOf(database, foreign);
    const { fault, change } = await this.grammar.check(sql, params, catalog);
    if (change?.does === "drop") defined.delete(change.table);
    else if (change !== null) {
      const kept = change.does === "widen" ? (defined.get(change.table) ?? []) : [];
      // A column that is there already is added `if not exists`.
      defined.set(change.table, [...kept, ...change.columns.filter(({ name }) => !kept.some((known) => known.name === name))]);
    }
    if (fault === null) this.passed.add(sql);
    else this.#refuse(fault, sql, origin);
  }

  /** A script whose statements were checked: what the adapter makes of them. */
  async checkScript(script: Script, origin: string, database: string, foreign: Foreign): Promise<void> {
    const checked = await this.grammar.checkScript?.(script, this.#tablesOf(database, foreign).catalog);
    if (checked === undefined) return;
    if (checked.fault === null) this.scripts.add(checked.sql);
    else this.#refuse(checked.fault, checked.sql, origin);
  }

  #tablesOf(database: string, foreign: Foreign): { defined: Catalog; catalog: Catalog } {
    const defined: Catalog = this.#defined.get(database) ?? new Map<string, never>();
    this.#defined.set(database, defined);
    const catalog: Catalog = new Map(defined);
    for (const [table, columns] of foreign)
      catalog.set(
        table,
        columns.map(({ name, type }) => ({ name, type: this.grammar.typeOf(type) })),
      );
    return { defined, catalog };
  }

  /** Once for each message about a line. */
  #refuse(fault: Fault, sql: string, origin: string): void {
    const key = `${fault.message} ${origin} ${lineOf(sql, fault.line)}`;
    if (this.#refused.has(key)) return;
    const place = placeOf(sql, fault.line);
    this.#refused.set(key, { ...fault, sql, place: place === null ? origin : `${place} (asked by ${origin})` });
  }

  /** A line for each refusal, and the line it is about. */
  report(): string[] {
    return [...this.#refused.values()].map(({ place, message, sql, line }) => `${place}: ${message}\n    ${lineOf(sql, line).slice(0, 200)}`);
  }
}

function lineOf(sql: string, line: number): string {
  return sql.split("\n")[line - 1]?.trim() ?? "";
}

export class Gates {
  readonly gates: readonly Gate[];
  /** Who asked anything, as file:line. */
  readonly origins = new Set<string>();

  constructor(gates: readonly Gate[]) {
    this.gates = gates;
  }

  /** The warehouse, every statement of which is checked by all. `database`: what was defined in one of that name stands. */
  twin(runs: Warehouse, database: string): Warehouse {
    // Looked at when it is next read.
    let foreign: Foreign | null = null;
    const check = async (asked: readonly (Asked | null)[]): Promise<void> => {
      for (const [i, each] of asked.entries()) {
        if (each === null) continue;
        const { origin } = each;
        if (origin === null || NOT_ASKED_THERE.test(origin)) {
          if (/^(?:create|drop)\b/i.test(each.sql)) foreign = null;
          continue;
        }
        this.origins.add(origin);
        foreign ??= await foreignTables(runs);
        await this.gates[i]?.check({ ...each, origin }, database, foreign);
      }
    };
    const dialects = this.gates.map(({ dialect }) => dialect);
    const scripted = async (scripts: readonly Script[], origin: string | null): Promise<void> => {
      if (origin === null || NOT_ASKED_THERE.test(origin)) return;
      foreign ??= await foreignTables(runs);
      for (const [i, script] of scripts.entries()) await this.gates[i]?.checkScript(script, origin, database, foreign);
    };
    return twinWarehouse(runs, dialects, { asked: check, scripted });
  }
}

async function foreignTables(warehouse: Warehouse): Promise<Foreign> {
  const rows = await warehouse.query({
    sql: "select table_name, column_name, data_type from information_schema.columns where table_schema = 'main' order by table_name, ordinal_position",
    params: [],
  });
  const tables = new Map<string, { name: string; type: string }[]>();
  for (const row of rows) {
    const columns = tables.get(String(row["table_name"])) ?? [];
    tables.set(String(row["table_name"]), [...columns, { name: String(row["column_name"]), type: String(row["data_type"]) }]);
  }
  return tables;
}
