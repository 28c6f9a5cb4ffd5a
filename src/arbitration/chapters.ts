import type { HelperDelegate, HelperOptions } from "handlebars";
import type { Dialect } from "../warehouse/dialect.js";
import { Binder, renderSqlFile, textConstant } from "../warehouse/sql.js";
import type { Statement } from "../warehouse/types.js";

/** What the chapters are filled with. */
export interface Filling {
  /** Files of sql/, in order: a table stands before those that read it. */
  chapters: readonly string[];
  dialect: Dialect;
  /** Of the ledger. */
  schema: string;
  /** The values of the chapters' words. */
  words: Record<string, unknown>;
  /** Texts that stand where their names do; bound there, if at all: a statement has no parameter that it doesn't name. */
  texts: Readonly<Record<string, string>>;
}

/** Arbitration as a warehouse is asked it. */
export interface Assembled {
  /** What makes the tables that are kept, in order. */
  tables: Statement[];
  /** Writes the decisions. */
  write: Statement;
  /** What drops the kept tables again. */
  drops: Statement[];
}

/** A named query of a chapter. */
interface Table {
  name: string;
  /** Its chapter. */
  file: string;
  /** The columns that others find its rows by, where it is read so often that it is better kept; null: a CTE wherever it is read. */
  kept: string | null;
  /** The columns of the work table of this name that it fills; null: none. */
  into: string | null;
  sql: string;
  /** The tables of the chapters that it reads. */
  reads: ReadonlySet<string>;
  /** Its chapter's first lines: what that reads and gives. */
  head: string;
}

/**
 * Puts the chapters together. A table that isn't kept is a CTE of each statement that reads it, directly or by others; one that is
 * kept is a statement of its own, which comes before. With `whole`, or where the dialect keeps none, all are CTEs of one statement.
 */
export function assemble(filling: Filling, whole = !filling.dialect.keepsTables): Assembled {
  const { dialect } = filling;
  const all = tablesOf(filling, new Binder(dialect));
  const known = new Map(all.map((table) => [table.name, table]));
  const target = all.at(-1)?.name ?? "";
  /** Whatever a table reads, directly or by others, as far as `through` lets it. */
  const readBy = (name: string, through: (table: Table) => boolean, found = new Set<string>()): Set<string> => {
    for (const read of known.get(name)?.reads ?? []) {
      const table = known.get(read);
      if (table === undefined) throw new Error(`No chapter before it gives ${read} to ${name}.`);
      if (found.has(read) || !through(table)) continue;
      found.add(read);
      readBy(read, through, found);
    }
    return found;
  };
  const isKept = ({ kept }: Table): boolean => !whole && kept !== null;
  const keptNames = new Set(all.filter(isKept).map(({ name }) => name));
  const statement = (name: string): Statement => {
    const asked = readBy(name, (table) => !isKept(table)).add(name);
    // Filling a chapter takes a millisecond or two: each statement fills its own alone.
    const files = new Set(all.filter((table) => asked.has(table.name)).map(({ file }) => file));
    const chapters = filling.chapters.filter((file) => files.has(file));
    const binder = new Binder(dialect);
    return { sql: written(tablesOf({ ...filling, chapters }, binder, { asked, kept: keptNames }), dialect), params: binder.params, ours: true };
  };
  const needed = readBy(target, () => true);
  const kept = all.filter((table) => needed.has(table.name) && isKept(table));
  const plain = (sqls: readonly string[]): Statement[] => sqls.map((sql) => ({ sql, params: [], ours: true }));
  return {
    tables: kept.flatMap((table) => {
      const { sql, params } = statement(table.name);
      const [make = "", ...after] = dialect.keep(table.name, sql, table.kept ?? "").make;
      return [{ sql: make, params, ours: true }, ...plain(after)];
    }),
    write: statement(target),
    drops: plain(kept.flatMap(({ name }) => dialect.keep(name, "", "").drop)),
  };
}

/** The tables of the chapters, or those that are `asked` for alone: nothing of the others is bound. `kept`: names of those that are kept. */
function tablesOf(filling: Filling, binder: Binder, only?: { asked: ReadonlySet<string>; kept: ReadonlySet<string> }): Table[] {
  const { chapters, dialect, schema, words } = filling;
  const tables: Table[] = [];
  let reads = new Set<string>();
  return chapters.flatMap((file) => {
    const from = tables.length;
    const helpers: Record<string, HelperDelegate> = {
      ...Object.fromEntries(Object.entries(filling.texts).map(([name, text]) => [name, () => textConstant(text, binder)])),
      /** A table of a chapter by its name. */
      the: (name: string) => {
        reads.add(name);
        return only?.kept.has(name) === true ? dialect.workTable(name) : name;
      },
      table(this: unknown, name: string, { fn, hash }: HelperOptions) {
        const { kept: by = null, into = null } = hash as { kept?: string; into?: string };
        if (only?.asked.has(name) === false) return "";
        reads = new Set();
        tables.push({ name, file, kept: by, into, sql: fn(this).trim(), reads, head: "" });
        return "";
      },
    };
    const head = renderSqlFile(file, dialect, schema, words, binder, helpers).sql.trim();
    return tables.slice(from).map((table) => ({ ...table, head: `-- ${file}\n${head}` }));
  });
}

/** The statement of the last table: its query after those that it reads, each chapter begun by its head. */
function written(tables: readonly Table[], dialect: Dialect): string {
  const lines: string[] = [];
  for (const [i, { name, into, sql, head }] of tables.entries()) {
    const last = i === tables.length - 1;
    if (head !== tables[i - 1]?.head) lines.push(head);
    lines.push(last ? sql : `${name} as (\n${sql}\n)${i === tables.length - 2 ? "" : ","}`);
    if (last && into !== null) lines.unshift(`insert into ${dialect.workTable(name)} (${into})`, ...(i === 0 ? [] : ["with"]));
    else if (last && i > 0) lines.unshift("with");
  }
  return lines.join("\n");
}
