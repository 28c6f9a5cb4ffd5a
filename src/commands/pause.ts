import { instant } from "../core/clock.js";
import { parseOptionDuration } from "../core/durations.js";
import { OpportuneError } from "../core/errors.js";
import { INSTANTS, readInstant } from "../core/instants.js";
import { pauses, setPause, type Pause, type StandingPause } from "../ledger/pauses.js";
import { requireLedger } from "../ledger/install/versions.js";
import type { Ledger } from "../ledger/ledger.js";
import { isTrial } from "../ledger/trial.js";
import type { Project } from "../project/types.js";
import { pauseText } from "../report/pauses.js";
import { count } from "../report/tables.js";
import { segmentNamed, unknownName, withLedger } from "./shared/context.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";

/** Most characters of a note: it stands on one line of `ls`, `explain`, `debug` and runs. */
const LONGEST_NOTE = 500;

export interface ResumeOptions extends GlobalOptions {
  channel?: string;
  all?: boolean;
}

export interface PauseOptions extends ResumeOptions {
  until?: string;
  note?: string;
}

/** Pauses a segment, a channel or everything. A pause that stands is replaced only by one that says until when or why. */
export function pauseCommand(terminal: Terminal, options: PauseOptions, [segment]: readonly string[]): Promise<number> {
  const now = Date.now();
  const until = options.until === undefined ? null : readUntil(options.until, now);
  const note = options.note === undefined ? null : readNote(options.note);
  return withPause(terminal, options, segment, "pause", async (pause, standing, { project, ledger, trial }) => {
    const mine = standing.find(({ kind }) => kind === "operator");
    if (mine !== undefined && until === null && note === null) return `${capitalised(pauseText(mine))} was paused already.`;
    await setPause(ledger, { ...pause, kind: "operator", paused: true, until, note, trial });
    const again = until === null ? "after `opportune resume`" : `from ${instant(until)} on, or after \`opportune resume\``;
    return `${named(pause, project)} is paused from the next run on, and from the next batch of one that is under way: its messages wait and are decided again ${again}.`;
  });
}

interface Place {
  project: Project;
  ledger: Ledger;
  trial: boolean;
}

/** Without the lease: a run that is under way is what one wants to pause most. `work` gets what is paused already, and gives what to say. */
export function withPause(
  terminal: Terminal,
  options: ResumeOptions,
  segment: string | undefined,
  verb: "pause" | "resume",
  work: (pause: Pause, standing: readonly StandingPause[], place: Place) => Promise<string>,
): Promise<number> {
  return withLedger(terminal, options, async (project, ledger) => {
    const pause = pauseOf(project, options, segment, verb);
    const { name } = project.target;
    const trial = isTrial(project.target, null);
    await requireLedger(ledger);
    const standing = (await pauses(ledger, trial)).filter((each) => each.scope === pause.scope && each.name === pause.name);
    const said = await work(pause, standing, { project, ledger, trial });
    terminal.out(trial ? `${said}\nTarget ${name} is not live: this holds for trials alone.` : said);
    return 0;
  });
}

/** Ms since 1970 UTC. @throws OpportuneError (exit 2) for text that is not a time or a duration, and for a time in the past */
function readUntil(text: string, now: number): number {
  const seconds = parseOptionDuration(text);
  const until = seconds === undefined ? readInstant(text) : now + seconds * 1000;
  const usage = (message: string, hint: string): OpportuneError => new OpportuneError({ code: "usage/until", message, hint }, 2);
  if (until === null) throw usage(`--until can't be ${JSON.stringify(text)}.`, `Write a duration (2 hours, 3 days), ${INSTANTS}.`);
  if (until <= now)
    throw usage(`--until ${text} is over; it is ${instant(now)} now.`, "Name a later time, or leave --until out to pause until `opportune resume`.");
  return until;
}

/** @throws OpportuneError (exit 2) for a note that is blank or too long to stand on a line */
function readNote(text: string): string {
  const note = text.trim();
  if (note !== "" && note.length <= LONGEST_NOTE) return note;
  const length = note === "" ? "is blank" : `has ${count(note.length)} characters; allowed are ${count(LONGEST_NOTE)}`;
  throw new OpportuneError({ code: "usage/note", message: `--note ${length}.`, hint: "Say why in a sentence, or leave --note out." }, 2);
}

function pauseOf(project: Project, { channel, all }: ResumeOptions, segment: string | undefined, verb: string): Pause {
  if ([segment, channel, all === true ? "all" : undefined].filter((given) => given !== undefined).length !== 1) {
    throw new OpportuneError(
      {
        code: "usage/pause",
        message: `Say what to ${verb}: one segment, one --channel, or --all.`,
        hint: `For example \`opportune ${verb} cart_abandoned\`, \`opportune ${verb} --channel email\` or \`opportune ${verb} --all\`.`,
      },
      2,
    );
  }
  if (segment !== undefined) return { scope: "segment", name: segmentNamed(project, segment).id };
  if (channel === undefined) return { scope: "project", name: "" };
  if (!project.channels.has(channel)) throw unknownName("channel", channel, [...project.channels.keys()]);
  return { scope: "channel", name: channel };
}

/** The pause's object, at the beginning of a sentence. */
export function named({ scope, name }: Pause, { target }: Project): string {
  return scope === "project" ? `Everything on target ${target.name}` : `${scope === "segment" ? "Segment" : "Channel"} ${name}`;
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
