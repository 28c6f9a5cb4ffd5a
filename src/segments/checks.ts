import { addressColumn, treatments } from "../project/build/treatments.js";
import type { Project, Segment } from "../project/types.js";
import type { Dialect } from "../warehouse/dialect.js";
import { textConstant, type Binder } from "../warehouse/sql.js";
import type { Column } from "../warehouse/types.js";
import { addressProblem } from "./address.js";
import { has } from "./staging.js";
import type { Check, TemplateCatalog } from "./types.js";

/** Everything a row can have wrong, in the order in which the reason names it: address, contract, template variables by name. */
export function checksOf(
  segment: Segment,
  project: Project,
  templates: TemplateCatalog,
  columns: readonly Column[],
  dialect: Dialect,
  binder: Binder,
): Check[] {
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
