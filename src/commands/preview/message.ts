/** Renders messages of a segment as they would be now; the ledger is neither read nor written. */
import { randomUUID } from "node:crypto";
import { messageOf, type Claim } from "../../run/claims.js";
import { instant } from "../../core/clock.js";
import { OpportuneError, type Problem } from "../../core/errors.js";
import type { OutgoingMessage } from "../../delivery/types.js";
import { addressColumn, treatments } from "../../project/build/treatments.js";
import type { Project, Segment } from "../../project/types.js";
import { loadRenderer, type Renderer } from "../../render/renderer.js";
import { compileProject, numberColumns, stageSegments } from "../../segments/stage.js";
import type { NumberColumns } from "../../segments/types.js";
import { Binder, renderSqlFile, workTables } from "../../warehouse/sql.js";
import type { Row, Warehouse } from "../../warehouse/types.js";
import { unknownName } from "../shared/context.js";
import type { GlobalOptions } from "../shared/terminal.js";

export interface PreviewOptions extends GlobalOptions {
  user?: string;
  step?: string;
  sendTo?: string;
  watch?: boolean;
  port?: string;
}

/** A step of a segment, in one of its versions. */
export type Treatment = ReturnType<typeof treatments>[number];

/** A step's message, or why its row can have none. */
export type Previewed = { step: Treatment; claim: Claim; message: OutgoingMessage } | { problem: Problem };

/** `reminder`, or one of its versions under test: `reminder/short`. */
export function stepNamed(segment: Segment, name: string): Treatment {
  const all = treatments(segment);
  const found = all.find(({ step, variant }) => name === step || name === `${step}/${variant}`);
  if (found !== undefined) return found;
  throw unknownName("step", name, all.map(treatmentName));
}

export function treatmentName({ step, variant }: Treatment): string {
  return variant === "" ? step : `${step}/${variant}`;
}

/**
 * These steps' messages to a user (null: the first whom the segment returns), or to another address.
 * @throws OpportuneError for what is wrong in the project or its warehouse
 */
export async function renderPreview(
  written: Project,
  warehouse: Warehouse,
  segment: Segment,
  steps: readonly Treatment[],
  { user, sendTo }: { user: string | null; sendTo: string | null },
): Promise<Previewed[]> {
  const project = withDeadUnsubscribe(written);
  const asOf = instant(Date.now());
  const renderer = loadRenderer(project);
  const { row, numbers } = await firstRow(project, warehouse, segment, renderer, asOf, user);
  return steps.map((step) => {
    const claim = claimOf(row, project, segment, step, sendTo);
    const message = messageOf(claim, project, renderer, { runId: "preview", asOf, numbers, judged: row["problems"] === "" });
    if (!("invalid" in message)) return { step, claim, message };
    const hint = "A run would record it as failed. Correct the template or the row; --user previews another one.";
    const reason = `The message ${treatmentName(step)} of user ${claim.userId} can't be rendered: ${message.invalid}`;
    return { problem: { code: "preview/invalid", message: reason, hint, file: segment.file } };
  });
}

/** Whoever tries out the link of a preview must not unsubscribe the user whom it shows: signed with a key that nobody has. */
function withDeadUnsubscribe(project: Project): Project {
  if (project.links.unsubscribeSecret === null) return project;
  return { ...project, links: { ...project.links, unsubscribeSecret: randomUUID() } };
}

/** The row that is previewed; the whole segment is staged, so that the row is judged as in a run. */
async function firstRow(
  project: Project,
  warehouse: Warehouse,
  segment: Segment,
  renderer: Renderer,
  asOf: string,
  user: string | null,
): Promise<{ row: Row; numbers: NumberColumns }> {
  const { dialect } = warehouse;
  const compiled = await compileProject(project, [segment], [], renderer, warehouse, asOf);
  await warehouse.script({ work: workTables(dialect), statements: [] });
  const staged = (await stageSegments(compiled, [segment], warehouse, Date.now, () => undefined)).get(segment.id);
  if (staged !== undefined && staged.problem !== null) throw new OpportuneError(staged.problem);
  const binder = new Binder(dialect);
  const rows = await warehouse.query(renderSqlFile("preview.sql", dialect, null, { segment: binder.bind(segment.id), user_id: binder.bind(user) }, binder));
  if (rows[0] !== undefined) return { row: rows[0], numbers: numberColumns(compiled) };
  const whom = user === null ? "nobody" : `no user ${JSON.stringify(user)}`;
  throw new OpportuneError({
    code: "preview/no-row",
    message: `Segment ${segment.id} returns ${whom} at the moment.`,
    hint: user === null ? "Loosen its conditions for a try, or point --target at a warehouse with rows." : "Without --user its first row is previewed.",
    file: segment.file,
  });
}

function claimOf(row: Row, project: Project, segment: Segment, step: Treatment, sendTo: string | null): Claim {
  const nullable = (name: string): string | null => (row[name] === null || row[name] === undefined ? null : String(row[name]));
  const text = (name: string): string => nullable(name) ?? "";
  return {
    // Of no user's message: an event of the provider must find nothing in the ledger.
    messageId: `preview_${randomUUID()}`,
    place: 1,
    segment: segment.id,
    step: step.step,
    variant: step.variant,
    channel: step.channel,
    sendBy: Infinity,
    dueAt: Date.now(),
    userId: text("user_id"),
    key: text("item_key"),
    class: segment.class,
    topic: segment.topic,
    template: step.template,
    occurredAt: text("occurred_at"),
    address: (sendTo ?? text(addressColumn(project, step.channel))).trim(),
    timezone: nullable("timezone"),
    locale: nullable("locale"),
    properties: text("properties"),
  };
}
