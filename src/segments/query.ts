import Handlebars from "handlebars";
import { secondsBefore } from "../core/clock.js";
import { parseDuration } from "../core/durations.js";
import { OpportuneError, wordsOf, type Problem } from "../core/errors.js";
import { didYouMean, nearestName } from "../core/suggest.js";
import { sqlTokens } from "../project/written/sql-tokens.js";
import type { Project, SqlFile, Var, VarValue } from "../project/types.js";
import type { Binder } from "../warehouse/sql.js";
import { withoutLastSemicolon } from "./last-semicolon.js";
import { WarehouseError } from "../warehouse/error.js";

/** What a SQL file's Handlebars may ask for, and what it did ask for. */
export interface RenderedQuery {
  sql: string;
  /** Names of the sources read, in name order. */
  sources: readonly string[];
}

const HELPERS = ["as_of", "ago", "before", "source", "var"] as const;

/**
 * Fills a segment's or audience's SQL: `{{as_of}}` and `{{ago "7 days"}}` become bound timestamps, `{{var "x"}}` a bound value,
 * `{{source "x"}}` the table, `{{before "ends_at" "1 day"}}` a timestamp so long before another. Lines stay where they were, so that the warehouse's line numbers are the user's.
 * @param asOf ISO 8601 UTC
 * @throws OpportuneError naming file and line
 */
export function renderQuery(file: SqlFile, project: Project, asOf: string, binder: Binder): RenderedQuery {
  const sources = new Set<string>();
  const comments = sqlTokens(file.sql).filter(({ comment }) => comment);
  const fail = (message: string, options: Handlebars.HelperOptions, hint?: string): never => {
    const loc = placeOf(options);
    throw new OpportuneError(
      {
        code: "segment/template",
        message,
        file: file.file,
        ...(loc === undefined ? {} : { line: loc.line + file.sqlLine - 1, column: loc.column + 1 }),
        ...(hint === undefined ? {} : { hint }),
      },
      2,
    );
  };
  // A parameter that stands in a comment is none to the warehouse, which refuses to be given one too many.
  const bind = (options: Handlebars.HelperOptions, inComment: string, bound: () => string): string => {
    const loc = placeOf(options);
    const offset =
      loc === undefined
        ? -1
        : file.sql
            .split("\n")
            .slice(0, loc.line - 1)
            .join("\n").length +
          (loc.line > 1 ? 1 : 0) +
          loc.column;
    return comments.some(({ from, to }) => from <= offset && offset < to) ? inComment : bound();
  };
  // Handlebars gives a helper its arguments and, last, what it was called with.
  const helper =
    (work: (argument: unknown, options: Handlebars.HelperOptions) => string): Handlebars.HelperDelegate =>
    (...given: unknown[]) =>
      work(given.length > 1 ? given[0] : "", given.at(-1) as Handlebars.HelperOptions);
  const secondsOf = (name: string, text: unknown, example: string, options: Handlebars.HelperOptions): number =>
    (typeof text === "string" ? parseDuration(text) : undefined) ??
    fail(`{{${name}}} takes a duration, not ${JSON.stringify(text)}.`, options, `Write for example ${example}.`);
  const helpers: Record<(typeof HELPERS)[number], Handlebars.HelperDelegate> = {
    as_of: helper((_, options) => bind(options, "as_of", () => binder.bind(asOf, "timestamp"))),
    ago: helper((text, options) => {
      const seconds = secondsOf("ago", text, '{{ago "7 days"}} or {{ago "10 minutes"}}', options);
      return bind(options, "ago", () => binder.bind(secondsBefore(asOf, seconds), "timestamp"));
    }),
    before: (...given: unknown[]) => {
      const options = given.at(-1) as Handlebars.HelperOptions;
      const [timestamp, text] = given.length > 2 ? given : ["", ""];
      const example = '{{before "trial_ends_at" "1 day"}}';
      if (typeof timestamp !== "string" || timestamp === "") return fail("{{before}} takes a column and a duration.", options, `Write for example ${example}.`);
      return binder.dialect.plusSeconds(timestamp, String(-secondsOf("before", text, example, options)));
    },
    source: helper((name, options) => {
      const source = project.sources.get(String(name));
      if (source === undefined)
        return fail(`There is no source ${JSON.stringify(name)}.`, options, knownNames(String(name), [...project.sources.keys()], "sources in opportune.yml"));
      sources.add(source.name);
      return source.table;
    }),
    var: helper((name, options) => {
      const value = Object.hasOwn(project.vars, String(name)) ? project.vars[String(name)] : undefined;
      if (value === undefined)
        return fail(`There is no var ${JSON.stringify(name)}.`, options, knownNames(String(name), Object.keys(project.vars), "vars in opportune.yml"));
      return bind(options, "var", () => (isList(value) ? `(${value.map((each) => boundVar(each, binder)).join(", ")})` : boundVar(value, binder)));
    }),
  };
  try {
    const template = Handlebars.compile(file.sql, { noEscape: true, strict: true, ignoreStandalone: true, knownHelpersOnly: false });
    return { sql: withoutLastSemicolon(template({}, { helpers }), binder.dialect.name), sources: [...sources].sort() };
  } catch (error) {
    if (error instanceof OpportuneError) throw error;
    throw new OpportuneError(handlebarsProblem(file, error), 2, error);
  }
}

/** Handlebars tells every helper where it stands (line from 1, column from 0), though its types do not say so. */
function placeOf(options: Handlebars.HelperOptions): { line: number; column: number } | undefined {
  return (options as unknown as { loc?: { start: { line: number; column: number } } }).loc?.start;
}

function isList(value: Var): value is readonly VarValue[] {
  return Array.isArray(value);
}

/** SQL of a value, in its own type. */
function boundVar(value: VarValue, binder: Binder): string {
  if (typeof value === "object") return binder.bindNumber(value.number);
  return typeof value === "boolean" ? binder.bind(String(value), "boolean") : binder.bind(value);
}

function handlebarsProblem(file: SqlFile, error: unknown): Problem {
  const text = error instanceof Error ? error.message : String(error);
  const unknown = /"([^"]+)" not defined in .* - (\d+):(\d+)/.exec(text);
  const line = Number(unknown?.[2] ?? /line (\d+)/.exec(text)?.[1] ?? 1);
  const place = { file: file.file, line: line + file.sqlLine - 1, ...(unknown?.[3] === undefined ? {} : { column: Number(unknown[3]) + 1 }) };
  if (unknown?.[1] !== undefined) {
    return {
      code: "segment/template",
      message: `SQL files know no {{${unknown[1]}}}.`,
      hint: knownNames(unknown[1], [...HELPERS], "{{as_of}}, {{ago}}, {{before}}, {{source}}, {{var}} and {{audience}}"),
      ...place,
    };
  }
  return { code: "segment/template", message: `The SQL's Handlebars can't be read: ${text.split("\n").at(-1) ?? text}`, ...place };
}

function knownNames(name: string, names: readonly string[], where: string): string {
  return didYouMean(nearestName(name, names)) ?? `There are ${where}: ${names.length === 0 ? "none yet" : names.join(", ")}.`;
}

/** The warehouse's complaint, at the line of the user's own file. */
export function queryProblem(file: SqlFile, error: unknown, queryLine: number): Problem {
  if (!(error instanceof WarehouseError)) {
    if (error instanceof OpportuneError && error.problems[0] !== undefined) return error.problems[0];
    return { code: "segment/query", message: wordsOf(error), file: file.file };
  }
  const line = error.statementLine === null ? null : error.statementLine - queryLine;
  const inQuery = line !== null && line >= 0 && line < file.sql.split("\n").length;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return { code: "segment/query", message: error.reason, ...hint, file: file.file, ...(inQuery ? { line: line + file.sqlLine } : {}) };
}
