import { join } from "node:path";
import { addressOf } from "../../channels/registry.js";
import { OpportuneError } from "../../core/errors.js";
import { writePrivately } from "../../core/private-file.js";
import { openLanes } from "../../delivery/lanes/lanes.js";
import type { OutgoingMessage, SendOutcome } from "../../delivery/types.js";
import { addressColumn, treatments } from "../../project/build/treatments.js";
import type { Project, Segment } from "../../project/types.js";
import { previewDocument, previewLines } from "../../report/preview.js";
import { ARTEFACTS } from "../shared/artefacts.js";
import { segmentNamed, withWarehouse } from "../shared/context.js";
import { renderPreview, stepNamed, type PreviewOptions, type Treatment } from "./message.js";
import type { Terminal } from "../shared/terminal.js";

/** Renders one message as it would be now; the ledger is neither read nor written. With --watch, shows it in a browser. */
export async function previewCommand(terminal: Terminal, options: PreviewOptions, [id = ""]: readonly string[]): Promise<number> {
  if (options.watch === true) return (await import("./watch.js")).watchPreview(terminal, options, id);
  if (options.port !== undefined)
    throw new OpportuneError({ code: "usage/port", message: "--port is for the page of --watch.", hint: "Add --watch, or leave --port out." }, 2);
  return withWarehouse(terminal, options, async (project, warehouse) => {
    const segment = segmentNamed(project, id);
    const [first] = treatments(segment);
    const step = options.step === undefined ? first : stepNamed(segment, options.step);
    if (step === undefined) throw new Error(`Segment ${id} has no step: the project was not validated`);
    refuseAddress(project, step, options.sendTo);
    const [previewed] = await renderPreview(project, warehouse, segment, [step], { user: options.user ?? null, sendTo: options.sendTo ?? null });
    if (previewed === undefined) throw new Error("No step was rendered");
    if ("problem" in previewed) throw new OpportuneError(previewed.problem);
    const { claim, message } = previewed;
    const files = writePreview(project, segment, step, message);
    const sent = options.sendTo === undefined ? null : await sendPreview(project, message);
    if (options.output === "json") terminal.out(JSON.stringify(previewDocument(claim, message, files, sent), null, 2));
    else terminal.out(previewLines(claim, message, files, sent, terminal.outPaint).join("\n"));
    return 0;
  });
}

function refuseAddress(project: Project, step: Treatment, sendTo: string | undefined): void {
  if (sendTo === undefined || addressOf(addressColumn(project, step.channel)).isOne(sendTo)) return;
  throw new OpportuneError(
    { code: "usage/address", message: `--send-to can't be ${JSON.stringify(sendTo)}.`, hint: "Write one address, such as ada@example.com." },
    2,
  );
}

function writePreview(project: Project, segment: Segment, { step, variant }: Treatment, message: OutgoingMessage): string[] {
  const name = `${ARTEFACTS}/preview/${segment.id}.${step}${variant === "" ? "" : `.${variant}`}`;
  const parts = [
    [`${name}.html`, message.html],
    [`${name}.txt`, message.text],
  ] as const;
  return parts.flatMap(([file, content]) => {
    if (content === null) return [];
    writePrivately(join(project.root, file), content);
    return [file];
  });
}

async function sendPreview(project: Project, message: OutgoingMessage): Promise<{ lane: string; outcome: SendOutcome }> {
  const lanes = await openLanes(project, false);
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
