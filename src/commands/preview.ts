import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, type Claim } from "../claims.js";
import { instant } from "../core/clock.js";
import { OpportuneError } from "../core/errors.js";
import { createWorkTables } from "../decide.js";
import { openLanes } from "../delivery/lanes.js";
import { isAddress } from "../core/address.js";
import type { OutgoingMessage, SendOutcome } from "../delivery/types.js";
import { addressColumn, treatments } from "../project/treatments.js";
import type { Project, Segment } from "../project/types.js";
import { loadRenderer, type Renderer } from "../render/renderer.js";
import { previewDocument, previewLines } from "../report/preview.js";
import { compileProject, stageSegments } from "../segments/stage.js";
import { Binder, renderSqlFile } from "../warehouse/sql.js";
import type { Row, Warehouse } from "../warehouse/types.js";
import { ARTEFACTS } from "./artefacts.js";
import { segmentNamed, unknownName, withWarehouse } from "./context.js";
import type { GlobalOptions, Terminal } from "./terminal.js";

export interface PreviewOptions extends GlobalOptions {
  user?: string;
  step?: string;
  sendTo?: string;
}

type Treatment = ReturnType<typeof treatments>[number];

/** Renders one message as it would be now; the ledger is neither read nor written. */
export function previewCommand(terminal: Terminal, options: PreviewOptions, [id = ""]: readonly string[]): Promise<number> {
  return withWarehouse(terminal, options, async (written, warehouse) => {
    const project = withDeadUnsubscribe(written);
    const segment = segmentNamed(project, id);
    const step = stepNamed(segment, options.step);
    refuseAddress(project, step, options.sendTo);
    const asOf = instant(Date.now());
    const renderer = loadRenderer(project);
    const row = await firstRow(project, warehouse, segment, renderer, asOf, options.user);
    const claim = claimOf(row, project, segment, step, options.sendTo);
    const message = messageOf(claim, project, renderer, { runId: "preview", asOf });
    if ("invalid" in message) {
      throw new OpportuneError({
        code: "preview/invalid",
        message: `The message of user ${claim.userId} can't be rendered: ${message.invalid}`,
        hint: "A run would record it as failed. Correct the template or the row; --user previews another one.",
        file: segment.file,
      });
    }
    const files = writePreview(project, segment, step, message);
    const sent = options.sendTo === undefined ? null : await sendPreview(project, message);
    if (options.output === "json") terminal.out(JSON.stringify(previewDocument(claim, message, files, sent), null, 2));
    else terminal.out(previewLines(claim, message, files, sent, terminal.outPaint).join("\n"));
    return 0;
  });
}

/** Whoever tries out the link of a preview must not unsubscribe the user whom it shows: signed with a key that nobody has. */
function withDeadUnsubscribe(project: Project): Project {
  if (project.links.unsubscribeSecret === null) return project;
  return { ...project, links: { ...project.links, unsubscribeSecret: randomUUID() } };
}

/** `reminder`, or one of its versions under test: `reminder/short`. */
function stepNamed(segment: Segment, name: string | undefined): Treatment {
  const all = treatments(segment);
  const found = name === undefined ? all[0] : all.find(({ step, variant }) => name === step || name === `${step}/${variant}`);
  if (found !== undefined) return found;
  throw unknownName(
    "step",
    name ?? "",
    all.map(({ step, variant }) => (variant === "" ? step : `${step}/${variant}`)),
  );
}

function refuseAddress(project: Project, step: Treatment, sendTo: string | undefined): void {
  if (sendTo === undefined || addressColumn(project, step.channel) !== "email" || isAddress(sendTo)) return;
  throw new OpportuneError(
    { code: "usage/address", message: `--send-to can't be ${JSON.stringify(sendTo)}.`, hint: "Write one address, such as ada@example.com." },
    2,
  );
}

/** The row that is previewed; the whole segment is staged, so that the row is judged as in a run. */
async function firstRow(project: Project, warehouse: Warehouse, segment: Segment, renderer: Renderer, asOf: string, user: string | undefined): Promise<Row> {
  const { dialect } = warehouse;
  const { schema } = project.target;
  const compiled = await compileProject(project, [segment], [], renderer, warehouse, asOf);
  await createWorkTables(warehouse, schema);
  const staged = (await stageSegments(compiled, [segment], warehouse, Date.now, () => undefined)).get(segment.id);
  if (staged !== undefined && staged.problem !== null) throw new OpportuneError(staged.problem);
  const binder = new Binder(dialect);
  const rows = await warehouse.query(
    renderSqlFile("preview.sql", dialect, schema, { segment: binder.bind(segment.id), user_id: binder.bind(user ?? null) }, binder),
  );
  if (rows[0] !== undefined) return rows[0];
  const whom = user === undefined ? "nobody" : `no user ${JSON.stringify(user)}`;
  throw new OpportuneError({
    code: "preview/no-row",
    message: `Segment ${segment.id} returns ${whom} at the moment.`,
    hint: user === undefined ? "Loosen its conditions for a try, or point --target at a warehouse with rows." : "Without --user its first row is previewed.",
    file: segment.file,
  });
}

function claimOf(row: Row, project: Project, segment: Segment, step: Treatment, sendTo: string | undefined): Claim {
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

function writePreview(project: Project, segment: Segment, { step, variant }: Treatment, message: OutgoingMessage): string[] {
  const name = `${ARTEFACTS}/preview/${segment.id}.${step}${variant === "" ? "" : `.${variant}`}`;
  mkdirSync(join(project.root, ARTEFACTS, "preview"), { recursive: true });
  const parts = [
    [`${name}.html`, message.html],
    [`${name}.txt`, message.text],
  ] as const;
  return parts.flatMap(([file, content]) => {
    if (content === null) return [];
    writeFileSync(join(project.root, file), content);
    return [file];
  });
}

async function sendPreview(project: Project, message: OutgoingMessage): Promise<{ lane: string; outcome: SendOutcome }> {
  const lanes = await openLanes(project, false, Date.now);
  try {
    const lane = lanes.laneOf(message);
    const marked = message.subject === null ? message : { ...message, subject: `[preview] ${message.subject}` };
    const outcome = await lane.provider.send(marked, new AbortController().signal);
    if (outcome.kind === "accepted") return { lane: lane.name, outcome };
    throw new OpportuneError({
      code: "preview/not-sent",
      message: `The preview was not accepted by ${lane.name} (${outcome.kind}): ${outcome.reason}`,
      hint: "`opportune debug` shows the channel's settings.",
    });
  } finally {
    await lanes.close();
  }
}
