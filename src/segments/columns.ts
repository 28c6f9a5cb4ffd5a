/** Columns that no query may return, whatever its rows hold. */
import type { Problem } from "../core/errors.js";
import type { SqlFile } from "../project/types.js";
import type { Dialect } from "../warehouse/dialect.js";
import type { ColumnKind } from "../warehouse/kinds.js";
import type { Column } from "../warehouse/types.js";

/** Text that may say a time; UUIDs, intervals, times of day and JSON are text to staging too. */
const TEXTS = /^"?(?:text|varchar|char|character|bpchar|string|citext|name)\b/i;

/** True if some value of a column can be an instant. */
export function tellsTime({ kind, type }: Column): boolean {
  return kind === "timestamp" || kind === "date" || (kind === "text" && TEXTS.test(type));
}

/**
 * Two columns of one name: which of them a template or `occurred_at` means, nobody can say. Capitals tell no names apart, as they
 * don't on every warehouse. `who` begins the sentence.
 */
export function duplicateColumns(who: string, file: SqlFile, columns: readonly Column[]): Problem[] {
  const names = columns.map(({ name }) => name.toLowerCase());
  const twice = [...new Set(names.filter((name, i) => names.indexOf(name) < i))];
  if (twice.length === 0) return [];
  return [
    {
      code: "segment/duplicate-column",
      message: `${who} returns more than one column of the name ${twice.join(", ")}.`,
      hint: "Name the columns one by one instead of `select *`, or give one of them another name with `as`.",
      file: file.file,
      line: file.sqlLine,
    },
  ];
}

/** `occurred_at` of a type that can't hold an instant. */
export function unfitTime(who: string, file: SqlFile, column: Column | undefined, dialect: Dialect): Problem[] {
  if (column === undefined || tellsTime(column)) return [];
  return [
    {
      code: "segment/time-type",
      message: `${who} returns ${column.name} as ${column.type}, which doesn't say a day and time. Allowed are timestamps, dates, and text that holds them.`,
      hint: WAY_OUT[column.kind]?.(column.name, dialect) ?? "Return the column that says when the behaviour occurred, with its day.",
      file: file.file,
      line: file.sqlLine,
    },
  ];
}

const ofEpoch = (name: string, { fromEpoch }: Dialect): string =>
  `If it counts seconds since 1970, write \`${fromEpoch(name)} as ${name}\`; of milliseconds, divide by 1000 first.`;

/** What to write instead, by the kind of column. */
const WAY_OUT: Partial<Record<ColumnKind, (name: string, dialect: Dialect) => string>> = { integer: ofEpoch, exact: ofEpoch, float: ofEpoch };
