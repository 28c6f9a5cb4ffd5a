import type { TemplateCatalog } from "../segments/types.js";
import type { Dialect } from "../warehouse/dialect.js";
import type { Row, Statement, Warehouse } from "../warehouse/types.js";
import { arbitrationStatements, explainingStatements } from "./arbitrate.js";
import type { Assembled } from "./chapters.js";
import type { Arbitration } from "./constants.js";

interface Asking {
  templates: TemplateCatalog;
  onStatement: (name: string, statements: readonly Statement[], secrets: readonly string[]) => void;
}

/** Fills the table of decisions, and sums it up: a row a segment, event and reason, and a paused channel. `first`: what is to be done before. */
export function arbitrate(arbitration: Arbitration, warehouse: Warehouse, asking: Asking, first: readonly string[]): Promise<Row[]> {
  const { dialect } = warehouse;
  const { tables, write, drops } = asked(arbitration, dialect, asking);
  // GoogleSQL knows a computed column in GROUP BY by its name alone.
  const told = `select segment, event, reason, case when reason = 'paused' and rule = 'channel' then channel end as paused_channel, row_count, changed, is_new from ${dialect.workTable("decisions")}`;
  const summary = `select segment, event, reason, paused_channel, sum(row_count) as n, sum(changed) as changed, sum(is_new) as is_new, count(*) as row_total from (${told}) d group by segment, event, reason, paused_channel order by segment, event, reason, paused_channel`;
  return warehouse.script({
    work: [...plain([...first, ...dialect.beforeArbitration]), ...tables],
    statements: [write, ...drops, ...plain([...dialect.afterFilling("decisions"), summary])],
  });
}

/** The statements of arbitration, which are told before they are run. */
export function asked(arbitration: Arbitration, dialect: Dialect, { templates, onStatement }: Asking): Assembled {
  const assembled = arbitrationStatements(arbitration, (template) => templates.versionOf(template), dialect);
  // With the salt anybody can tell a user's holdouts, and the ids of their messages, from the user's id.
  onStatement("arbitrate", [...assembled.tables, assembled.write], [arbitration.salt]);
  return assembled;
}

/** A row for each candidate of a user and reason that stops it, or one without a reason: over the rows that are staged, by the same chapters. */
export function stopsOf(user: string, arbitration: Arbitration, warehouse: Warehouse, templates: TemplateCatalog): Promise<Row[]> {
  const { tables, write } = explainingStatements(user, arbitration, (template) => templates.versionOf(template), warehouse.dialect);
  return warehouse.script({ work: [...plain(warehouse.dialect.beforeArbitration), ...tables], statements: [write] });
}

function plain(sqls: readonly string[]): Statement[] {
  return sqls.map((sql) => ({ sql, params: [], ours: true }));
}
