import { watch } from "chokidar";
import { instant } from "../../core/clock.js";
import { OpportuneError, problemsOf, type Problem } from "../../core/errors.js";
import { providerKind } from "../../delivery/providers/registry.js";
import { treatments } from "../../project/build/treatments.js";
import type { Project } from "../../project/types.js";
import { PROJECT_FILE } from "../../project/written/project-file.js";
import { problemLines } from "../../report/error-lines.js";
import { counted } from "../../report/tables.js";
import type { PageMessage } from "../../server/page.js";
import { startPreviewServer, type Rendering } from "../../server/preview.js";
import { findProject, openProject, openWarehouse, segmentNamed } from "../shared/context.js";
import { impatient } from "../shared/decision.js";
import { portOf } from "../shared/port.js";
import { renderPreview, stepNamed, treatmentName, type Previewed, type PreviewOptions } from "./message.js";
import type { Terminal } from "../shared/terminal.js";
import { untilStopped } from "../shared/until-stopped.js";

/** What a rendering reads, relative to the project. */
const READ = [PROJECT_FILE, ".env", "segments", "templates"];
/** Editors write a file in several steps, and several files at once, ms. */
const SETTLED_MS = 50;
/** Of the page, unless --port names another. */
const PORT = "4011";

/** Serves the segment's messages and renders them anew whenever the project's files change, until SIGINT, SIGTERM or SIGHUP. */
export async function watchPreview(terminal: Terminal, options: PreviewOptions, id: string): Promise<number> {
  refuseOptions(options);
  const port = portOf(options.port ?? PORT);
  const root = findProject(process.cwd(), options.projectDir);
  const first = await rendered(terminal, options, id);
  // Nothing that is edited in the project makes these right.
  if (first.problems.some(({ code }) => code.startsWith("usage/"))) throw new OpportuneError(first.problems, 2);

  const server = await startPreviewServer({ port, title: `Preview of ${id}` });
  let told = "";
  const show = (rendering: Rendering): void => {
    server.show(rendering);
    const lines = problemLines(rendering.problems, terminal.errPaint).join("\n");
    if (rendering.messages !== null) terminal.note(`${clockOf(rendering.at)} rendered ${counted(rendering.messages.length, "message")}`);
    if (lines !== "" && lines !== told) terminal.warn(lines);
    told = lines;
    // Whoever holds the file lets go of it without a change here.
    if (rendering.problems.some(({ code }) => code === "warehouse/locked")) files.again();
  };
  const files = await onChange(root, async () => show(await rendered(terminal, options, id)));
  show(first);
  terminal.out(`The preview of ${id} is at ${server.url}, and rendered anew whenever ${PROJECT_FILE}, segments/ or templates/ change.\n\nCtrl-C ends it.`);
  await untilStopped();
  await files.stop();
  await server.close();
  return 0;
}

function refuseOptions({ sendTo, output }: PreviewOptions): void {
  const wrong = sendTo !== undefined ? "--send-to" : output === "json" ? "--output json" : null;
  if (wrong === null) return;
  throw new OpportuneError({ code: "usage/watch", message: `--watch and ${wrong} exclude each other.`, hint: "Leave one of them out." }, 2);
}

/** Everything read afresh; the warehouse is closed again, so that a run or an analyst can use it in between. */
async function rendered(terminal: Terminal, options: PreviewOptions, id: string): Promise<Rendering> {
  const at = instant(Date.now());
  try {
    const project = openProject(options);
    const segment = segmentNamed(project, id);
    const steps = options.step === undefined ? treatments(segment) : [stepNamed(segment, options.step)];
    const warehouse = await openWarehouse(project.root, impatient(project.target), { ...terminal, note: () => undefined });
    try {
      const previewed = await renderPreview(project, warehouse, segment, steps, { user: options.user ?? null, sendTo: null });
      return {
        at,
        messages: await Promise.all(previewed.flatMap((each, order) => ("problem" in each ? [] : [pageMessage(project, each, order, at)]))),
        problems: previewed.flatMap((each) => ("problem" in each ? [each.problem] : [])),
      };
    } finally {
      await warehouse.close();
    }
  } catch (error) {
    return { at, messages: null, problems: problemsOf(error) };
  }
}

async function pageMessage(project: Project, previewed: Exclude<Previewed, { problem: Problem }>, order: number, at: string): Promise<PageMessage> {
  const { step, message, claim } = previewed;
  const { address, from, replyTo, subject, html, text, headers, segment } = message;
  const provider = project.channels.get(message.channel)?.provider;
  const request = provider === undefined ? undefined : await providerKind(provider).request?.(message);
  return {
    id: treatmentName(step).replace("/", "."),
    order,
    at,
    to: address,
    subject: subject ?? "",
    segment,
    step: treatmentName(step),
    from,
    html,
    text,
    headers: [
      ...(from === null ? [] : [["From", from] satisfies [string, string]]),
      ["To", address],
      ...(replyTo === null ? [] : [["Reply-To", replyTo] satisfies [string, string]]),
      ...(subject === null ? [] : [["Subject", subject] satisfies [string, string]]),
      ...Object.entries(headers),
    ],
    request: null,
    // What would be posted; of what the provider would refuse, why; where nothing is posted, the message itself.
    source: request ?? { ...message, template: claim.template },
  };
}

/** Calls `act` after each change, and when asked `again`; one at a time. */
async function onChange(root: string, act: () => Promise<void>): Promise<{ again(): void; stop(): Promise<void> }> {
  const watcher = watch(READ, { cwd: root, ignoreInitial: true });
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const again = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void (running = running.then(act)), SETTLED_MS);
  };
  watcher.on("all", again);
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  return {
    again,
    async stop() {
      await watcher.close();
      await running;
      clearTimeout(timer);
    },
  };
}

/** `12:00:00` of an ISO time. */
function clockOf(at: string): string {
  return at.slice(11, 19);
}
