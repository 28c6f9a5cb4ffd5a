import type { Problem } from "../core/errors.js";
import { didYouMean, nearestName } from "../core/suggest.js";
import { ADDRESS_COLUMNS } from "../channels/registry.js";
import { addressColumn, treatments } from "../project/build/treatments.js";
import type { Audience, Project, Segment } from "../project/types.js";
import { canonicalUserColumn } from "../warehouse/canonical.js";
import { Binder, renderSqlFile, textConstant } from "../warehouse/sql.js";
import type { Column, Statement, Warehouse } from "../warehouse/types.js";
import type { Dialect } from "../warehouse/dialect.js";
import { APART, literal } from "../warehouse/dialect.js";
import { duplicateColumns, unfitTime } from "./columns.js";
import { addressProblem } from "./address.js";
import { idProblem, LONGEST_ID_BYTES, type IdType } from "./ids.js";
import { jsonOf } from "./properties.js";
import { renderQuery } from "./query.js";
import { problemsOfRefused } from "./refused.js";
import { wrongUses } from "./uses.js";
import type { Check, CompiledAudience, CompiledSegment, TemplateCatalog } from "./types.js";

/** Characters of a zone or locale that are kept; the longest IANA name has 32. */
const LONGEST_NAME = 100;

/** Asks the warehouse for the segment's columns and checks them against steps, templates and contract. `failed`: all that is wrong with it. */
export async function compileSegment(
  segment: Segment,
  project: Project,
  templates: TemplateCatalog,
  warehouse: Warehouse,
  asOf: string,
): Promise<{ compiled: CompiledSegment } | { failed: readonly Problem[] }> {
  if (segment.mistakes !== undefined) return { failed: segment.mistakes };
  let columns: Column[];
  const bound = new Binder(warehouse.dialect);
  let asked: Statement;
  let sources: readonly string[];
  try {
    const query = renderQuery(segment, project, asOf, bound);
    asked = { sql: query.sql, params: bound.params, segment: segment.id, ...limit(project.target.maxBytes, segment.maxBytes) };
    sources = query.sources;
    columns = await warehouse.describe(asked);
  } catch (error) {
    return { failed: await problemsOfRefused(segment, error, project, warehouse, asOf) };
  }
  const who = `Segment ${segment.id}`;
  const problems = [
    ...duplicateColumns(who, segment, columns),
    ...missingColumns(segment, project, columns),
    ...unfitIds(segment, project, columns),
    ...unfitTime(who, segment, has(columns, "occurred_at"), warehouse.dialect),
    ...missingVariables(segment, templates, columns),
    ...wrongUses(segment, templates, columns, warehouse.dialect),
    ...missingContract(segment, columns),
  ];
  if (problems.length > 0) return { failed: problems };
  return { compiled: compileStage(segment, project, templates, columns, warehouse.dialect, asOf, { asked, bound, sources }) };
}

/** The smaller of the limits that there are, as a statement has it. */
export function limit(...limits: readonly (number | null)[]): { maxBytes?: number } {
  const set = limits.filter((bytes) => bytes !== null);
  return set.length === 0 ? {} : { maxBytes: Math.min(...set) };
}

function has(columns: readonly Column[], name: string): Column | undefined {
  return columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
}

function missingColumns(segment: Segment, project: Project, columns: readonly Column[]): Problem[] {
  const returned = `It returns: ${columns.map((column) => column.name).join(", ")}.`;
  const problem = (name: string, why: string): Problem => ({
    code: "segment/column",
    message: `Segment ${segment.id} returns no column ${name}${why}.`,
    hint: returned,
    file: segment.file,
    line: segment.sqlLine,
  });
  const addresses = new Map(treatments(segment).map((step) => [addressColumn(project, step.channel), step] as const));
  return [
    ...["user_id", "occurred_at"].filter((name) => has(columns, name) === undefined).map((name) => problem(name, "")),
    ...[...addresses]
      .filter(([column]) => column !== "user_id" && has(columns, column) === undefined)
      .map(([column, step]) => problem(column, `, the address that channel ${step.channel} of step ${step.step} needs`)),
    ...(segment.key !== null && has(columns, segment.key) === undefined ? [problem(segment.key, ", its key")] : []),
    ...segment.keepProperties.filter((name) => has(columns, name) === undefined).map((name) => problem(name, ", named under keep_properties")),
  ];
}

/** Ids and addresses of a type that has no one form. */
function unfitIds(segment: Segment, project: Project, columns: readonly Column[]): Problem[] {
  const names = new Set(["user_id", ...treatments(segment).map((step) => addressColumn(project, step.channel))]);
  return [...names].flatMap((name) => {
    const column = has(columns, name);
    return (column === undefined ? null : idProblem(`Segment ${segment.id}`, segment, column)) ?? [];
  });
}

function missingVariables(segment: Segment, templates: TemplateCatalog, columns: readonly Column[]): Problem[] {
  const names = columns.map((column) => column.name);
  const missing = treatments(segment)
    .flatMap((step) => templates.variablesOf(segment, step))
    .filter((variable) => !names.includes(variable.name));
  const places = new Map(missing.map((variable) => [`${variable.file}:${String(variable.line)}:${String(variable.column)}`, variable]));
  return [...places.values()].map((variable) => {
    const nearest = nearestName(variable.name, names);
    return {
      code: "template/variable",
      message: `{{${variable.name}}} is not a column of segment ${segment.id} (${segment.file}).`,
      hint: didYouMean(nearest) ?? `It returns: ${names.join(", ")}.`,
      file: variable.file,
      line: variable.line,
      column: variable.column,
    };
  });
}

function missingContract(segment: Segment, columns: readonly Column[]): Problem[] {
  return segment.contract
    .filter((rule) => has(columns, rule.column) === undefined)
    .map((rule) => {
      const nearest = nearestName(
        rule.column,
        columns.map((column) => column.name),
      );
      return {
        code: "segment/contract",
        message: `The contract of segment ${segment.id} names a column that its query doesn't return: ${rule.column}.`,
        hint: didYouMean(nearest) ?? `It returns: ${columns.map((column) => column.name).join(", ")}.`,
        file: segment.file,
        ...segment.places.get(`columns.${rule.column}`),
      };
    });
}

/** Everything a row can have wrong, in the order in which the reason names it: address, contract, template variables by name. */
function checksOf(segment: Segment, project: Project, templates: TemplateCatalog, columns: readonly Column[], dialect: Dialect, binder: Binder): Check[] {
  const steps = treatments(segment);
  const column = (name: string): string => dialect.quote(has(columns, name)?.name ?? name);
  const checks: Omit<Check, "code">[] = [];
  for (const kind of new Set(steps.map((step) => addressColumn(project, step.channel)))) {
    if (kind === "user_id") continue;
    checks.push({
      field: "address",
      sql: addressProblem(kind, `cast(${column(kind)} as ${dialect.types.text})`, dialect, binder),
      steps: steps.filter((step) => addressColumn(project, step.channel) === kind),
    });
  }
  for (const rule of segment.contract) {
    const conditions = [
      ...(rule.required ? [`${column(rule.column)} is null`] : []),
      ...(rule.acceptedValues === null ? [] : [notAccepted(column(rule.column), has(columns, rule.column), rule.acceptedValues, dialect, binder)]),
    ];
    if (conditions.length > 0) checks.push({ field: rule.column, sql: conditions.join(" or "), steps });
  }
  const needed = new Map<string, { step: string; variant: string }[]>();
  for (const step of steps) {
    for (const variable of templates.variablesOf(segment, step)) {
      if (!variable.required) continue;
      const users = needed.get(variable.name) ?? [];
      if (!users.includes(step)) users.push(step);
      needed.set(variable.name, users);
    }
  }
  for (const [name, users] of [...needed].sort(([a], [b]) => (a < b ? -1 : 1))) checks.push({ field: name, sql: `${column(name)} is null`, steps: users });
  return checks.map((check, i) => ({ ...check, code: `.${String(i + 1)}.`, steps: check.steps.map(({ step, variant }) => ({ step, variant })) }));
}

/** Numbers are compared as numbers, as 1 may be written 1.0 or 1.00 by its column; everything else as text. */
function notAccepted(sql: string, column: Column | undefined, accepted: readonly (string | number | boolean)[], dialect: Dialect, binder: Binder): string {
  const numeric = column !== undefined && ["integer", "float", "exact"].includes(column.kind) && accepted.every((value) => typeof value === "number");
  if (numeric) return `${sql} not in (${accepted.join(", ")})`;
  return `cast(${sql} as ${dialect.types.text}) not in (${accepted.map((value) => textConstant(String(value), binder)).join(", ")})`;
}

function compileStage(
  segment: Segment,
  project: Project,
  templates: TemplateCatalog,
  columns: readonly Column[],
  dialect: Dialect,
  asOf: string,
  { asked, bound, sources }: { asked: Statement; bound: Binder; sources: readonly string[] },
): CompiledSegment {
  const apart = dialect.queriesApart || dialect.stagesInPages;
  const { query, binder } = readingQuery(asked.sql, bound, apart);
  const checks = checksOf(segment, project, templates, columns, dialect, binder);
  const text = (name: string): string => {
    const column = has(columns, name);
    return column === undefined ? `cast(null as ${dialect.types.text})` : `cast(${dialect.quote(column.name)} as ${dialect.types.text})`;
  };
  const own = new Set(["user_id", "occurred_at"]);
  const kept = new Set(segment.keepProperties.map((name) => name.toLowerCase()));
  const properties = columns.filter((column) => !own.has(column.name.toLowerCase()));
  const stage = renderSqlFile(
    "stage.sql",
    dialect,
    null,
    {
      query,
      pages: dialect.stagesInPages,
      segment: literal(segment.id),
      as_of: binder.bind(asOf, "timestamp"),
      user_id: `nullif(${userOf(columns, dialect)}, '')`,
      item_key: segment.key === null ? "''" : text(segment.key),
      occurred_at: timeOf(has(columns, "occurred_at"), dialect),
      addresses: ADDRESS_COLUMNS.map((column) => `${text(column)} as ${column}`).join(",\n    "),
      // No zone and no locale is as long: the rest only tells an odd one from others.
      timezone: `substr(${text("timezone")}, 1, ${String(LONGEST_NAME)})`,
      locale: `substr(${text("locale")}, 1, ${String(LONGEST_NAME)})`,
      longest_id: String(LONGEST_ID_BYTES),
      problems: checks.length === 0 ? "''" : checks.map((check) => `case when ${check.sql} then '${check.code}' else '' end`).join(" ||\n      "),
      properties: jsonOf(properties, dialect),
      kept:
        segment.keepProperties.length === 0
          ? `cast(null as ${dialect.types.text})`
          : jsonOf(
              columns.filter((column) => kept.has(column.name.toLowerCase())),
              dialect,
            ),
    },
    binder,
  );
  const id = literal(segment.id);
  const rows = `${dialect.workTable("segment_rows")} where segment = ${id}`;
  const pages = dialect.stagesInPages
    ? {
        afterPages: {
          ...renderSqlFile("duplicates.sql", dialect, null, { segment: id }),
          // Takes a fifth of what the update takes that finds nothing.
          where: { sql: `select 1 from ${rows} and dropped is null group by user_id, item_key having count(*) > 1 limit 1`, params: [], ours: true },
        },
        undoPages: { sql: `delete from ${rows}`, params: [], ours: true },
      }
    : {};
  return { segment, columns, checks, query: asked, ...staging(asked, { ...stage, ...pages }, apart), sources };
}

/** SQL of the user's id in its one form. */
function userOf(columns: readonly Column[], dialect: Dialect): string {
  const column = has(columns, "user_id");
  return canonicalUserColumn(dialect.quote(column?.name ?? "user_id"), column?.kind ?? "text", dialect);
}

/** SQL of a column as a UTC timestamp; of none, null. */
function timeOf(column: Column | undefined, dialect: Dialect): string {
  return column === undefined ? `cast(null as ${dialect.types.timestamp})` : dialect.toUtc(dialect.quote(column.name), column.kind);
}

/** What a statement that reads a user's query says in its place, and what binds the values that follow the query's. */
export function readingQuery(sql: string, bound: Binder, apart = bound.dialect.queriesApart): { query: string; binder: Binder } {
  const { dialect } = bound;
  if (apart) return { query: `select * from ${dialect.workTable(APART)}`, binder: new Binder(dialect) };
  return { query: sql, binder: bound.continued() };
}

/** The statement, and on which line of it, or of the query that runs before it, the user's SQL begins. */
function staging(asked: Statement, stage: Statement, apart: boolean): { stage: Statement; queryLine: number } {
  const statement = { ...asked, ...stage };
  return apart ? { stage: { ...statement, apart: asked }, queryLine: 1 } : { stage: statement, queryLine: lineOfQuery(stage.sql) };
}

/** The user's SQL stands first in WITH, on lines of its own. */
function lineOfQuery(sql: string): number {
  return sql.split("\n").findIndex((line) => /^with \w+_query as \($/.test(line)) + 2;
}

/**
 * An audience has `user_id` and perhaps `occurred_at`; both are looked up in what the warehouse says it returns. `beside`: a segment
 * that uses it.
 */
export async function compileAudience(
  audience: Audience,
  project: Project,
  warehouse: Warehouse,
  asOf: string,
  beside: IdType | null,
): Promise<{ compiled: CompiledAudience } | { failed: readonly Problem[] }> {
  const { dialect } = warehouse;
  if (audience.mistakes !== undefined) return { failed: audience.mistakes };
  let columns: Column[];
  try {
    const rendering = new Binder(dialect);
    const { sql, sources } = renderQuery(audience, project, asOf, rendering);
    const asked = { sql, params: rendering.params, segment: audience.name, ...limit(project.target.maxBytes) };
    columns = await warehouse.describe(asked);
    const user = has(columns, "user_id");
    if (user === undefined) {
      return {
        failed: [
          {
            code: "audience/column",
            message: `Audience ${audience.name} returns no column user_id.`,
            hint: `It returns: ${columns.map((column) => column.name).join(", ")}.`,
            file: audience.file,
            line: audience.sqlLine,
          },
        ],
      };
    }
    const who = `Audience ${audience.name}`;
    const time = has(columns, "occurred_at");
    const problems = [
      ...duplicateColumns(who, audience, columns),
      ...[idProblem(who, audience, user, beside)].flatMap((problem) => problem ?? []),
      ...unfitTime(who, audience, time, dialect),
    ];
    if (problems.length > 0) return { failed: problems };
    const { query, binder } = readingQuery(sql, rendering);
    const stage = renderSqlFile(
      "stage_audience.sql",
      dialect,
      null,
      {
        query,
        audience: literal(audience.name),
        user_id: canonicalUserColumn(dialect.quote(user.name), user.kind, dialect),
        occurred_at: timeOf(time, dialect),
        as_of: binder.bind(asOf, "timestamp"),
      },
      binder,
    );
    return { compiled: { audience, query: asked, ...staging(asked, stage, dialect.queriesApart), sources } };
  } catch (error) {
    return { failed: await problemsOfRefused(audience, error, project, warehouse, asOf) };
  }
}
