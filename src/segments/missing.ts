/** What a segment's query must return and doesn't: columns of its steps, key, templates and contract. */
import type { Problem } from "../core/errors.js";
import { didYouMean, nearestName } from "../core/suggest.js";
import { addressColumn, treatments } from "../project/build/treatments.js";
import type { Project, Segment } from "../project/types.js";
import type { Column } from "../warehouse/types.js";
import { idProblem } from "./ids.js";
import { has } from "./staging.js";
import type { TemplateCatalog } from "./types.js";

export function missingColumns(segment: Segment, project: Project, columns: readonly Column[]): Problem[] {
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
export function unfitIds(segment: Segment, project: Project, columns: readonly Column[]): Problem[] {
  const names = new Set(["user_id", ...treatments(segment).map((step) => addressColumn(project, step.channel))]);
  return [...names].flatMap((name) => {
    const column = has(columns, name);
    return (column === undefined ? null : idProblem(`Segment ${segment.id}`, segment, column)) ?? [];
  });
}

export function missingVariables(segment: Segment, templates: TemplateCatalog, columns: readonly Column[]): Problem[] {
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

export function missingContract(segment: Segment, columns: readonly Column[]): Problem[] {
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
