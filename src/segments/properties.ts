/** How a row's columns are kept for its templates; docs/values.md shows what comes of each type. */
import type { Dialect } from "../warehouse/dialect.js";
import { isoSeconds } from "../warehouse/sql.js";
import type { Column } from "../warehouse/types.js";

/**
 * Columns as one JSON object: instants and days as ISO text, exact numbers as text so that no digit is lost, no NaN or infinity, which
 * JSON lacks.
 */
export function jsonOf(columns: readonly Column[], dialect: Dialect): string {
  if (columns.length === 0) return "'{}'";
  return dialect.jsonObject(
    columns.map((column) => {
      const quoted = dialect.quote(column.name);
      if (column.kind === "timestamp") return [column.name, isoSeconds(dialect.toUtc(quoted, column.kind), dialect)] as const;
      // A day has no zone: as an instant it would be the day before for readers in the west.
      if (column.kind === "date")
        return [column.name, `${dialect.builtIn("substr")}(${isoSeconds(dialect.toUtc(quoted, column.kind), dialect)}, 1, 10)`] as const;
      // True of finite numbers alone, on every warehouse.
      if (column.kind === "float") return [column.name, `case when ${quoted} - ${quoted} = 0 then ${quoted} end`] as const;
      return [column.name, column.kind === "exact" ? exactText(quoted, column, dialect) : plain(quoted, column, dialect)] as const;
    }),
  );
}

/**
 * A column as the warehouse's own JSON has it. DuckDB would make a text of a VARIANT. Both would make texts of times and numbers in a
 * list that are not finite: they are null, as they are outside of one.
 */
function plain(quoted: string, { kind, type }: Column, dialect: Dialect): string {
  if (type === "VARIANT") return `cast(${quoted} as json)`;
  if (/^(?:DATE|TIMESTAMP.*)\[\]$/.test(type)) {
    const item = "opportune_item";
    return `list_transform(${quoted}, lambda ${item}: case when ${dialect.toUtc(item, "timestamp")} is not null then ${item} end)`;
  }
  const [, element = "", what] = /^((double precision|real|numeric|date|timestamp).*)\[\]$/.exec(kind === "list" ? type : "") ?? [];
  if (what === undefined) return quoted;
  const odd = what === "numeric" ? ["NaN"] : what === "date" || what === "timestamp" ? ["infinity", "-infinity"] : ["NaN", "infinity", "-infinity"];
  return odd.reduce((array, value) => `${dialect.builtIn("array_replace")}(${array}, cast('${value}' as ${element}), null)`, quoted);
}

/** An exact number as text. Of Postgres' types: numeric may be NaN or infinite, and money's own text is that of the server's locale. */
function exactText(quoted: string, { type }: Column, dialect: Dialect): string {
  const text = `cast(${type === "money" ? `cast(${quoted} as numeric)` : quoted} as ${dialect.types.text})`;
  return type.startsWith("numeric") ? `case when ${quoted} - ${quoted} = 0 then ${text} end` : text;
}
