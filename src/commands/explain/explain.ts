import { resolve } from "node:path";
import { OpportuneError } from "../../core/errors.js";
import { writePrivately } from "../../core/private-file.js";
import { requireLedger } from "../../ledger/install/versions.js";
import type { Ledger } from "../../ledger/ledger.js";
import { messageNames, storyRows, templateTexts, usersAt } from "../../ledger/look-up.js";
import { pauses } from "../../ledger/pauses.js";
import { isTrial } from "../../ledger/trial.js";
import { readFrontMatter } from "../../render/templates/front-matter.js";
import { storyDocument, storyLines, used, type MessageNames, type StoryAbout, type Writer } from "../../report/explain.js";
import { pauseLines } from "../../report/pauses.js";
import { dueDocument, dueLines, dueNow, type DueNow } from "../../report/stops.js";
import { localTime } from "../../report/times.js";
import { storyPage } from "../../pages/story-page.js";
import { journeysOf, type StoryEvent } from "../../report/story.js";
import type { Target } from "../../project/types.js";
import type { Row } from "../../warehouse/types.js";
import { factsOf, zoneOf } from "./facts.js";
import { stopsNow } from "./now.js";
import { segmentNamed, withLedger } from "../shared/context.js";
import type { GlobalOptions, Terminal } from "../shared/terminal.js";

export interface ExplainOptions extends GlobalOptions {
  segment?: string;
  limit: string;
  html?: string;
  templates?: boolean;
  all?: boolean;
}

/** Why a user heard what they heard, and why not the rest. */
export function explainCommand(terminal: Terminal, options: ExplainOptions, [asked = ""]: readonly string[]): Promise<number> {
  const limit = limitOf(options.limit);
  return withLedger(terminal, options, async (project, ledger) => {
    const segment = options.segment === undefined ? null : segmentNamed(project, options.segment).id;
    await requireLedger(ledger);
    const trial = isTrial(project.target, null);
    const read = (user: string, kind = trial): Promise<Row[]> => storyRows(ledger, { user, trial: kind, segment }, limit);
    let user = asked;
    let rows = await read(user);
    if (rows.length === 0) {
      user = (await userAt(ledger, asked, trial)) ?? asked;
      if (user !== asked) rows = await read(user);
    }
    if (rows.length === 0 && options.all !== true) throw (await read(user, !trial)).length > 0 ? ofOtherKind(user, project.target) : unknownUser(user, segment);
    const story = rows.map(toEvent);
    const journeys = journeysOf(story);
    const about = await aboutOf(ledger, rows, story);
    if (options.html !== undefined) {
      const facts = await factsOf(project, ledger, user, story);
      const file = writePage(
        options.html,
        storyPage(journeys, { user, ...about, ...facts, policy: project.policy, segments: project.segments, audiences: project.audiences }),
      );
      terminal.out(file);
      return 0;
    }
    const paused = await pauses(ledger, trial);
    const timezone = await zoneOf(project, ledger.warehouse, user, story);
    const now = options.all === true ? await stopsNow(project, ledger, user) : null;
    const due = (write: Writer): DueNow[] => dueNow(now?.rows ?? [], write).filter((message) => segment === null || message.segment === segment);
    if (options.output === "json") {
      const document = { ...storyDocument(user, journeys, { ...about, timezone }), pauses: paused };
      terminal.out(JSON.stringify(now === null ? document : { ...document, now: { as_of: now.asOf, due: dueDocument(due((iso) => iso)) } }, null, 2));
    } else {
      const told = { ...about, timezone, paint: terminal.outPaint, width: terminal.width, fullTexts: options.templates === true };
      const write: Writer = (iso, zone = timezone.name) => localTime(iso, zone === "" ? timezone.name : zone);
      const lines = now === null ? [] : dueLines(due(write), now.asOf, write, terminal.outPaint);
      terminal.out([...storyLines(user, journeys, told), ...lines, ...pauseLines(paused)].join("\n"));
    }
    return 0;
  });
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new OpportuneError({ code: "usage/limit", message: `--limit can't be ${JSON.stringify(text)}.`, hint: "Allowed: whole numbers from 1." }, 2);
}

/** Writes the page, its folders too, and gives its path. */
function writePage(file: string, page: string): string {
  const path = resolve(file);
  try {
    writePrivately(path, page);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OpportuneError({ code: "explain/file", message: `The page can't be written: ${reason}`, hint: "Name another file with --html." });
  }
  return path;
}

/** The target's own kind has no row of the user, the other one has. */
function ofOtherKind(user: string, { name, live }: Pick<Target, "name" | "live">): OpportuneError {
  const known = live ? "trials;" : "live runs;";
  return new OpportuneError({
    code: "explain/other-kind",
    message: `The ledger knows user ${JSON.stringify(user)} only from ${known} target ${name} ${live ? "is live" : "is not live"}.`,
    hint: `Name a target that is ${live ? "not live" : "live"} with --target to see them. The column trial of the view why tells the two apart.`,
  });
}

function unknownUser(user: string, segment: string | null): OpportuneError {
  const where = segment === null ? "" : ` of segment ${segment}`;
  return new OpportuneError({
    code: "explain/unknown-user",
    message: `The ledger${where} knows no user ${JSON.stringify(user)}.`,
    hint: "No segment has returned them with a message due, and no message went to such an address. `opportune preview SEGMENT --user ID` shows whether one returns them now.",
  });
}

/** A message that waits has a row each time its reason changes. */
const MOST_OF_A_MESSAGE = 200;

/**
 * One message's story, in the form of `--output json`.
 * @throws OpportuneError where there is no ledger, or none of its rows has the id
 */
export async function messageStory(ledger: Ledger, target: string, messageId: string): Promise<unknown> {
  await requireLedger(ledger);
  const rows = await storyRows(ledger, { message: messageId }, MOST_OF_A_MESSAGE);
  if (rows.length === 0) {
    throw new OpportuneError({
      code: "explain/unknown-message",
      message: `The ledger of target ${target} knows no message ${JSON.stringify(messageId)}.`,
      hint: "It was sent from another target or project, by `opportune preview --send-to`, or in a run that was cut off.",
    });
  }
  const story = rows.map(toEvent);
  return storyDocument(String(rows[0]?.["user_id"]), journeysOf(story), { ...(await aboutOf(ledger, rows, story)), timezone: null });
}

async function aboutOf(ledger: Ledger, rows: readonly Row[], story: readonly StoryEvent[]): Promise<StoryAbout & { shown: number }> {
  const versions = used(journeysOf(story));
  const texts = versions.length === 0 ? new Map<string, string>() : await templateTexts(ledger, versions);
  return {
    events: Number(rows[0]?.["events"]),
    shown: rows.length,
    names: await namesOf(ledger, story),
    templates: new Map([...texts].map(([version, text]) => [version, { text, subject: subjectOf(text) }])),
  };
}

/** As it is written in the front matter of the first file of a template's text; null without one. */
function subjectOf(template: string): string | null {
  const [, file = "", text = ""] = /^==> (.*) <==\n([^]*?)(?:\n==> |$)/.exec(template) ?? [];
  return readFrontMatter(text, file).fields.subject?.value ?? null;
}

/** Users named where more than one has an address. */
const NAMED = 10;

/** The one user who was written to at an address in any form; null where nobody was. @throws OpportuneError where several were */
async function userAt(ledger: Ledger, address: string, trial: boolean): Promise<string | null> {
  const users = await usersAt(ledger, address, trial, NAMED + 1);
  if (users.length < 2) return users[0] ?? null;
  const named = users.slice(0, NAMED).map((user) => JSON.stringify(user));
  throw new OpportuneError({
    code: "explain/shared-address",
    message: `Several users were written to at ${JSON.stringify(address)}: ${named.join(", ")}${users.length > NAMED ? " and more" : ""}.`,
    hint: "Name one of them by id.",
  });
}

function toEvent(row: Row): StoryEvent {
  const text = (name: string): string => String(row[name] ?? "");
  const nullable = (name: string): string | null => (row[name] === null || row[name] === undefined ? null : String(row[name]));
  return {
    segment: text("segment"),
    step: text("step"),
    key: text("item_key"),
    occurredAt: text("occurred_at"),
    dueAt: nullable("due_at"),
    expiresAt: nullable("expires_at"),
    decidedAt: text("decided_at"),
    recordedAt: text("recorded_at"),
    event: text("event"),
    reason: text("reason"),
    rule: text("rule"),
    channel: nullable("channel"),
    messageId: text("message_id"),
    runId: text("run_id"),
    detail: row["detail"] === null ? {} : (JSON.parse(text("detail")) as StoryEvent["detail"]),
    explanation: text("explanation"),
    providerId: nullable("provider_id"),
    variant: nullable("variant"),
    template: nullable("template"),
    templateVersion: nullable("template_version"),
  };
}

/** Segment and step of the messages that outranked others. */
async function namesOf(ledger: Ledger, story: readonly StoryEvent[]): Promise<MessageNames> {
  const winners = [...new Set(story.flatMap(({ detail }) => (typeof detail["winner"] === "string" ? [detail["winner"]] : [])))];
  return winners.length === 0 ? new Map() : messageNames(ledger, winners);
}
