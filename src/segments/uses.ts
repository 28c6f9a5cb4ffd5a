/** What a template can't make of a column, whatever its rows hold: told when a segment is compiled, by the column's type. */
import type { Problem } from "../core/errors.js";
import { treatments } from "../project/build/treatments.js";
import type { Segment } from "../project/types.js";
import type { Use } from "../render/types.js";
import type { Dialect } from "../warehouse/dialect.js";
import type { ColumnKind } from "../warehouse/kinds.js";
import type { Column } from "../warehouse/types.js";
import type { TemplateCatalog } from "./types.js";

type As = Exclude<Use["as"], "any">;

const NUMBERS: readonly ColumnKind[] = ["integer", "float", "exact"];

/** Kinds of columns that can be right; of a text or of JSON only its rows tell. */
const RIGHT: Readonly<Record<As, readonly ColumnKind[]>> = {
  text: ["text", "date", "timestamp", "boolean", ...NUMBERS, "nested", "opaque"],
  time: ["text", "date", "timestamp", "nested"],
  clock: ["text", "timestamp", "nested"],
  number: ["text", ...NUMBERS, "nested"],
  code: ["text", "nested"],
  list: ["list", "object", "nested"],
  items: ["list", "nested"],
  field: ["text", "list", "object", "nested"],
};

const WANTS: Readonly<Record<As, string>> = {
  text: "one value",
  time: "a day or a time",
  clock: "a time",
  number: "a number",
  code: "a currency's code",
  list: "a list",
  items: "a list",
  field: "an object",
};

/** Types whose values are text, but never a date or a number. */
const NEVER_ANOTHER = /^(?:time(?!stamp)|uuid$)/i;

/** Names that the job takes from the row: what stands in the column is what is written. */
const OF_THE_ROW: ReadonlySet<string> = new Set(["user_id", "occurred_at", "timezone", "locale"]);

/** Uses of a column's value that can only be wrong, and of a name that hides a column; each place once. */
export function wrongUses(segment: Segment, templates: TemplateCatalog, columns: readonly Column[], dialect: Dialect): Problem[] {
  const types = new Map(columns.map((column) => [column.name, column]));
  const problems = treatments(segment)
    .flatMap((step) => templates.usesOf(segment, step))
    .flatMap((use): Problem[] => {
      const column = types.get(use.name);
      if (column === undefined) return [];
      const place = { file: use.file, line: use.line, column: use.column };
      if (use.given) return isHidden(use.name, segment) ? [{ ...hidden(use, segment), ...place }] : [];
      if (use.as === "any" || fits(use.as, column)) return [];
      return [{ ...unfit(use, use.as, column, segment, dialect), ...place }];
    });
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function isHidden(name: string, segment: Segment): boolean {
  return !OF_THE_ROW.has(name) && !(name === "key" && segment.key === "key");
}

function hidden({ name }: Use, segment: Segment): Problem {
  return {
    code: "template/hidden-column",
    message: `{{${name}}} is a name that Opportune gives to every message: it hides column ${name} of segment ${segment.id} (${segment.file}).`,
    hint: `Return the column under another name, or not at all, e.g. ${name} as ${segment.id}_${name}.`,
  };
}

function fits(as: As, { kind, type }: Column): boolean {
  return RIGHT[as].includes(kind) && !(kind === "text" && ["time", "clock", "number", "code"].includes(as) && NEVER_ANOTHER.test(type));
}

function unfit({ name, written }: Use, as: As, column: Column, segment: Segment, dialect: Dialect): Problem {
  return {
    code: "template/type",
    message: `${written} wants ${WANTS[as]}; segment ${segment.id} (${segment.file}) returns ${name} as ${column.type}.`,
    hint: wayOut(as, name, column, dialect),
  };
}

function wayOut(as: As, name: string, { kind, type }: Column, dialect: Dialect): string {
  const json = ["duckdb", "postgres"].includes(dialect.name) ? `cast(${name} as json)` : `parse_json(${name})`;
  // A null that says no type is taken for one.
  const untyped = dialect.name === "duckdb" && type === "INTEGER" ? " A bare null is an INTEGER to DuckDB: cast it too." : "";
  switch (as) {
    case "text":
      return kind === "list" ? `Use {{#each ${name}}} or {{join ${name}}}.` : `Name one of its fields: {{${name}.field}}.`;
    case "time":
      return `Cast it to a date or a timestamp in the query.${untyped}`;
    case "clock":
      return kind === "date" ? `Use a style of days, such as "long".` : `Cast it to a timestamp in the query.${untyped}`;
    case "number":
      return "Return a number from the query.";
    case "code":
      return "Return a code such as EUR from the query.";
    case "list":
    case "items":
      return kind === "text" ? `Cast it to json in the query: ${json} as ${name}.` : `Return a list from the query.${untyped}`;
    case "field":
      return `Write {{${name}}}, or return an object from the query.`;
  }
}
