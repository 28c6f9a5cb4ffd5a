/** Staging in pages: a user's rows are kept as they come, then read so many bytes at a time. */
import { APART, type Dialect } from "../dialect.js";
import { OpportuneError, wordsOf } from "../../core/errors.js";
import { WarehouseError } from "../error.js";
import type { ColumnKind } from "../kinds.js";
import type { Column, Row, Statement } from "../types.js";

/** Bytes of text read at once. DuckDB's JSON writer reserves eight bytes for each, for all rows of a chunk and on each thread. */
const PAGE_BYTES = 8 * 2 ** 20;
/** Rows that DuckDB reads at once whatever is asked: its vector size. */
const CHUNK_ROWS = 2048;

/** Kinds of columns that may be of any width. */
const WIDE: ReadonlySet<ColumnKind> = new Set(["text", "list", "object", "nested", "opaque"]);

/** What staging asks of the connection; neither is counted. */
interface Asking {
  run(statement: Statement): Promise<number>;
  read(statement: Statement): Promise<Row[]>;
}

/** How the rows of a query are kept: each column as it is, and the bytes of the wide ones. */
export interface Carried {
  /** The columns, as a select list. */
  select: string;
  /** Name of the column that holds the bytes of a row's text: no column of the query has it. */
  bytes: string;
  /** The columns again, as a select list of the table that keeps them. */
  shown: string;
}

/** @param columns as `describe` gives them */
export function carriedColumns(columns: readonly Column[], dialect: Dialect): Carried {
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  const free = (wanted: string): string => (names.has(wanted) ? free(`${wanted}_`) : wanted);
  const bytes = free("opportune_bytes");
  // A column of that name would hide the numbers of the table's rows.
  const rowid = columns.find(({ name }) => name.toLowerCase() === "rowid");
  // A table gives a column of nothing but NULL the type of whole numbers, which isn't cast to a time.
  const typed = ({ name, type }: Column): string => (type === '"NULL"' ? `cast(${dialect.quote(name)} as varchar)` : dialect.quote(name));
  const untyped = columns.filter((column) => column !== rowid && column.type === '"NULL"').map((column) => `${typed(column)} as ${dialect.quote(column.name)}`);
  const wide = columns.filter(({ kind }) => WIDE.has(kind)).map(({ name }) => `coalesce(strlen(cast(${dialect.quote(name)} as varchar)), 0)`);
  const all = `*${rowid === undefined ? "" : ` exclude (${dialect.quote(rowid.name)})`}${untyped.length === 0 ? "" : ` replace (${untyped.join(", ")})`}`;
  const renamed = rowid === undefined ? "" : `, ${typed(rowid)} as ${free("opportune_rowid")}`;
  return {
    select: `${all}${renamed}, ${wide.length === 0 ? "0" : wide.join(" + ")} as ${bytes}`,
    bytes,
    shown: rowid === undefined ? "*" : `* rename (${free("opportune_rowid")} as ${dialect.quote(rowid.name)})`,
  };
}

/**
 * Runs a statement over the rows of the query that it reads from APART, in as many pages as their bytes ask for, then what follows
 * the pages. Rows of an ordinary width are one page. Gives the rows that the pages changed. Where a page fails, those before it are undone.
 */
export function runInPages(statement: Statement, apart: Statement, carried: Carried, dialect: Dialect, asking: Asking): Promise<number> {
  const { bytes } = carried;
  return keptApart(statement, apart, carried, dialect, asking, "", async (rows, showPage) => {
    const [chunks] = await asking.read(
      ours(`select max(bytes) as widest from (select sum(${bytes}) as bytes from ${rows} group by rowid // ${String(CHUNK_ROWS)}) chunks`),
    );
    const small = Number(chunks?.["widest"] ?? 0) <= PAGE_BYTES;
    const ranges = small ? [null] : await asking.read(ours(pagesOf(rows, bytes)));
    let changed = 0;
    try {
      for (const range of ranges) {
        await showPage(range === null ? "" : ` where rowid between ${String(range["first_row"])} and ${String(range["last_row"])}`);
        changed += await asking.run(statement);
      }
      const { afterPages } = statement;
      const wanted = afterPages?.where === undefined || (await asking.read(afterPages.where)).length > 0;
      if (afterPages !== undefined && wanted) await asking.run(afterPages);
    } catch (error) {
      if (statement.undoPages !== undefined) await undo(statement.undoPages, error, asking);
      throw error;
    }
    return changed;
  });
}

/** Throws what ends the run where that fails: half of a segment's rows must not be decided on. */
async function undo(statement: Statement, refused: unknown, asking: Asking): Promise<void> {
  try {
    await asking.run(statement);
  } catch (error) {
    const message = `${wordsOf(refused)} What was staged before can't be taken back: ${wordsOf(error)}`;
    throw new OpportuneError({ code: "segment/pages", message }, 1, error);
  }
}

/** Has the statement planned, and what follows its pages, over the columns of the query alone: no row is read. */
export function planInPages(
  statement: Statement,
  apart: Statement,
  carried: Carried,
  dialect: Dialect,
  asking: Asking & { plan(statement: Statement): Promise<void> },
): Promise<void> {
  return keptApart(statement, apart, carried, dialect, asking, "with no data", async (_, showPage) => {
    await showPage("");
    await asking.plan(statement);
    if (statement.afterPages !== undefined) await asking.plan(statement.afterPages);
  });
}

const ours = (sql: string): Statement => ({ sql, params: [] });

/** Keeps what the query gives in a table while `work` reads it; `showPage` says which of the rows APART has. */
async function keptApart<T>(
  statement: Statement,
  apart: Statement,
  { select, shown }: Carried,
  dialect: Dialect,
  asking: Asking,
  data: "" | "with no data",
  work: (rows: string, showPage: (where: string) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const page = dialect.workTable(APART);
  const rows = dialect.workTable(`${APART}_rows`);
  // The user's lines keep their numbers.
  await asking.run({ sql: `create or replace table ${rows} as select ${select} from (${apart.sql}\n) opportune_query ${data}`, params: apart.params });
  try {
    return await work(rows, (where) => asking.run(ours(`create or replace view ${page} as select ${shown} from ${rows}${where}`)));
  } catch (error) {
    // A line of the statement isn't one of the user's.
    throw error instanceof WarehouseError ? new WarehouseError(error.reason, null, statement.sql, error, error.hint) : error;
  } finally {
    await asking.run(ours(`drop view if exists ${page}`)).catch(() => undefined);
    await asking.run(ours(`drop table if exists ${rows}`)).catch(() => undefined);
  }
}

/** Ranges of rows of so many bytes; a row that is larger stands alone. */
function pagesOf(rows: string, bytes: string): string {
  return `select min(row) as first_row, max(row) as last_row
    from (select rowid as row, floor(sum(${bytes}) over (order by rowid rows unbounded preceding) / ${String(PAGE_BYTES)}) as page from ${rows}) sized
    group by page
    order by 1`;
}
