/**
 * Situations: what arbitration was given in each run of the decision table's cases and of some stories, kept in one DuckDB.
 * Runs of one policy are moved to one instant and put into one statement, each under names of its own: a mutant is
 * asked about hundreds of runs in the time of a few.
 */
import { CHAPTERS } from "../../src/arbitration/arbitrate.js";
import { assemble } from "../../src/arbitration/chapters.js";
import { Binder, constantTable, type ConstantTable } from "../../src/warehouse/sql.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import type { Row, Statement, Warehouse } from "../../src/warehouse/types.js";
import { contextOf } from "./inject.js";
import { CONSTANTS, SHARED, isQuiet, joined, micros, moved, movedColumn, namesOf, prefix, renamed, unnamed, type Context } from "./pack.js";

/** All chapters are filled with the same. */
const FILE = CHAPTERS[0] ?? "";
/** Parts of the chapters that are left out where nobody needs them: of the runs of a pack, some do. */
const NEEDED = { backfills: true, segment_limits: true, holdouts: true };
const LEDGER = ["sent_ledger", "suppressions", "preferences"];
const WORK = ["segment_rows", "audience_members"];
/** Smaller limits count the others in the pack. */
const LARGE = 1_000;
/** More runs in a statement make it slower to plan than two statements are. */
const MOST = 120;
/** What a row of the ledger shows of a decision. */
const SHOWN = "segment, step, user_id, item_key, event, reason, rule";
const CHANGED = "changed = 1 and event <> 'none'";

/** One run: `of` says which of the case's or story's. */
export interface Situation<Of> {
  id: number;
  of: Of;
  context: Context;
}

/** Runs decided by one statement. */
interface Pack {
  schema: string;
  context: Context;
  ids: number[];
  /** The statement of the file as it is. */
  sql: string;
}

/** How a mutant's decisions differ from those of the file. */
export interface Difference {
  /** The first situations in which a row of the ledger says something else: their case or story fails. */
  shown: number[];
  /** Without those: situations in which other columns differ, and which. */
  hidden: number[];
  columns: string[];
}

export class Situations<Of> {
  readonly all: Situation<Of>[] = [];
  readonly #warehouse: Warehouse;
  readonly #salt: string;
  readonly #shown: string;
  #packs: Pack[] = [];

  private constructor(warehouse: Warehouse, salt: string, shown: string) {
    this.#warehouse = warehouse;
    this.#salt = salt;
    this.#shown = shown;
  }

  /** `more`: columns that are shown too, as SQL. */
  static async open<Of>(salt: string, more = ""): Promise<Situations<Of>> {
    const warehouse = await openDuckDb({ type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: 1 }, { root: "." });
    return new Situations<Of>(warehouse, salt, SHOWN + more);
  }

  close(): Promise<void> {
    return this.#warehouse.close();
  }

  /** The warehouse as it is given to a decider; `current` says which run is under way. */
  watch(current: () => Of): Warehouse {
    const script = this.#warehouse.script.bind(this.#warehouse);
    this.#warehouse.script = async (given) => {
      const decides = given.statements.some(({ sql }) => /^insert into \S*decisions/.test(sql));
      if (!decides) return script(given);
      const id = this.all.length;
      this.all.push({ id, of: current(), context: contextOf(FILE) });
      for (const table of [...LEDGER, ...WORK]) {
        const from = LEDGER.includes(table) ? `opportune.${table}` : this.#warehouse.dialect.workTable(table);
        await this.#execute(`create table if not exists kept_${table} as select 0 as id, * from ${from} where false`);
        await this.#execute(`insert into kept_${table} select ${String(id)}, * from ${from}`);
      }
      const rows = await script(given);
      const decisions = this.#warehouse.dialect.workTable("decisions");
      await this.#execute(`create table if not exists kept_decisions as select 0 as id, * from ${decisions} where false`);
      await this.#execute(`insert into kept_decisions select ${String(id)}, * from ${decisions}`);
      return rows;
    };
    return this.#warehouse;
  }

  /** Packs what was watched; what says something else in a pack than alone stays alone. */
  async pack(): Promise<number> {
    const groups = new Map<string, Situation<Of>[]>();
    let quiet = 0;
    for (const situation of this.all) {
      const { context } = situation;
      const shared = SHARED.map((name) => moved(context[name] as ConstantTable, micros(context)));
      if (isQuiet(context)) quiet += 1;
      // Rows without a zone have one in a pack: some runs must keep them as they are.
      const alone = Number(context["max_per_run"]) < LARGE || (isQuiet(context) && quiet <= 2);
      const key = alone ? `alone ${String(situation.id)}` : JSON.stringify([shared, context["max_per_run"], context["project_holdout_below"]]);
      groups.set(key, [...(groups.get(key) ?? []), situation]);
    }
    const alone: number[] = [];
    for (const group of groups.values()) {
      for (let at = 0; at < group.length; at += MOST) {
        const some = group.slice(at, at + MOST);
        alone.push(...(some.length > 1 ? await this.#together(some) : some.map(({ id }) => id)));
      }
    }
    for (const id of alone) await this.#alone(id);
    this.#packs.sort((a, b) => b.ids.length - a.ids.length);
    return this.#packs.length;
  }

  /** Makes a pack; gives those that it left out. */
  async #together(group: readonly Situation<Of>[]): Promise<number[]> {
    let inside = [...group];
    for (;;) {
      const pack = await this.#build(inside, true);
      await this.#decide(pack);
      const wrong = await this.#query(`
        select distinct id from (
          (select id, ${SHOWN} from kept_decisions where id in (${pack.ids.join(", ")}) and ${CHANGED} except all select ${unnamed(SHOWN)} from ${pack.schema}.decisions where ${CHANGED})
          union all
          (select ${unnamed(SHOWN)} from ${pack.schema}.decisions where ${CHANGED} except all select id, ${SHOWN} from kept_decisions where id in (${pack.ids.join(", ")}) and ${CHANGED}))`);
      const out = new Set(wrong.map(({ id }) => Number(id)));
      if (out.size === 0) {
        await this.#execute(`create table ${pack.schema}.reference as from ${pack.schema}.decisions`);
        this.#packs.push(pack);
        return group.filter(({ id }) => !pack.ids.includes(id)).map(({ id }) => id);
      }
      inside = inside.filter(({ id }) => !out.has(id));
      if (inside.length === 0) return group.map(({ id }) => id);
    }
  }

  async #alone(id: number): Promise<void> {
    const pack = await this.#build(this.all.slice(id, id + 1), false);
    await this.#decide(pack);
    await this.#execute(`create table ${pack.schema}.reference as from ${pack.schema}.decisions`);
    this.#packs.push(pack);
  }

  /** Lays the tables of some runs out in a schema of their own, renamed and moved to one instant. */
  async #build(inside: readonly Situation<Of>[], together: boolean): Promise<Pack> {
    const schema = `pack_${String(inside[0]?.id ?? 0)}_${String(inside.length)}_${together ? "t" : "a"}`;
    await this.#execute(`create schema ${schema}`);
    const ids = inside.map(({ id }) => id);
    const by = inside.map(({ id, context }) => `(${String(id)}, ${together ? micros(context) : "0"}, ${together ? `'${prefix(id)}'` : "''"})`);
    await this.#execute(`create table ${schema}.moves as from (values ${by.join(", ")}) m(id, micros, prefix)`);
    for (const table of [...LEDGER, ...WORK]) {
      const columns = await this.#query(`describe kept_${table}`);
      const list = columns.map(({ column_name: name, column_type: type }) =>
        name === "id" ? "" : `${movedColumn(String(name), String(type), together)} as "${String(name)}"`,
      );
      await this.#execute(
        `create table ${schema}.${table} as select ${list.filter((sql) => sql !== "").join(", ")} from kept_${table} k join ${schema}.moves m on m.id = k.id`,
      );
    }
    await this.#execute(`create table ${schema}.decisions as select * exclude (id) from kept_decisions where false`);
    const context = together ? joined(inside.map((each) => renamed(each.context, prefix(each.id)))) : (inside[0]?.context ?? {});
    for (const name of CONSTANTS) {
      const binder = new Binder(this.#warehouse.dialect);
      const sql = constantTable(context[name] as ConstantTable, this.#warehouse.dialect, binder);
      await this.#warehouse.execute({ sql: `create table ${schema}.${name} as ${sql}`, params: binder.params });
    }
    return { schema, ids, context, sql: this.#statement({ schema, context }).sql };
  }

  async #decide(pack: Pack): Promise<void> {
    await this.#execute(`delete from ${pack.schema}.decisions`);
    await this.#warehouse.execute(this.#statement(pack));
  }

  #statement(pack: Pick<Pack, "schema" | "context">): Statement {
    const { dialect } = this.#warehouse;
    // Tables are planned faster than thousands of constants.
    const constants = (names: readonly string[]): string =>
      `from ${pack.schema}.${CONSTANTS.find((name) => namesOf(pack.context, name) === names.join()) ?? ""}`;
    const own = { ...dialect, workTable: (name: string) => `${pack.schema}.${name}`, constants };
    const headers = CONSTANTS.map((name) => [name, { ...(pack.context[name] as ConstantTable), rows: [[]] }]);
    const words = { ...pack.context, ...(Object.fromEntries(headers) as Context), ...NEEDED };
    return assemble({ chapters: CHAPTERS, dialect: own, schema: pack.schema, words, texts: { salt: this.#salt } }, true).write;
  }

  /** True if the injected file gives the same statement here: it differs for another warehouse. */
  isSame(): boolean {
    const [pack] = this.#packs;
    return pack === undefined || this.#statement(pack).sql === pack.sql;
  }

  /** Asks the file as it is injected now. Throws what the warehouse throws. Stops at the first difference that is shown. */
  async ask(): Promise<Difference> {
    const hidden: number[] = [];
    const columns = new Set<string>();
    for (const pack of [...this.#packs]) {
      await this.#decide(pack);
      const shown = await this.#differing(pack, this.#shown, `where ${CHANGED}`);
      if (shown.length > 0) {
        // What notices one mutant often notices the next.
        this.#packs = [pack, ...this.#packs.filter((other) => other !== pack)];
        return { shown, hidden: [], columns: [] };
      }
      const others = await this.#differing(pack, "* exclude (place)", "");
      hidden.push(...others);
      if (others.length > 0) for (const column of await this.#columnsOf(pack)) columns.add(column);
    }
    return { shown: [], hidden, columns: [...columns] };
  }

  /** The situations of a pack in which the two tables differ. */
  async #differing({ schema, ids }: Pack, list: string, where: string): Promise<number[]> {
    const [one, other] = ["decisions", "reference"].map((table) => `select ${list} from ${schema}.${table} ${where}`);
    const rows = await this.#query(
      `select distinct segment from ((${one ?? ""} except all ${other ?? ""}) union all (${other ?? ""} except all ${one ?? ""}))`,
    );
    return ids.length === 1 && rows.length > 0 ? ids : [...new Set(rows.map(({ segment }) => Number(/^p(\d+)-/.exec(String(segment))?.[1])))];
  }

  async #columnsOf({ schema }: Pack): Promise<string[]> {
    const found: string[] = [];
    for (const { column_name: column } of await this.#query(`describe ${schema}.decisions`)) {
      if (column === "place") continue;
      const [one, other] = ["decisions", "reference"].map((table) => `select segment, step, user_id, reason, ${String(column)} as x from ${schema}.${table}`);
      const rows = await this.#query(`(${one ?? ""} except all ${other ?? ""}) limit 1`);
      if (rows.length > 0) found.push(String(column));
    }
    return found;
  }

  async #execute(sql: string): Promise<void> {
    await this.#warehouse.execute({ sql, params: [] });
  }

  #query(sql: string): Promise<Row[]> {
    return this.#warehouse.query({ sql, params: [] });
  }
}
