/** What a run did: the text for stdout. */
import { ROW_REASONS } from "../arbitration/reasons/others.js";
import { REASONS } from "../arbitration/reasons.js";
import { COMMONEST, short, targetOption, waysOut } from "../core/failures.js";
import type { DeliveryResult } from "../delivery/deliver.js";
import type { Target } from "../project/types.js";
import type { Place, RunResult } from "../run/types.js";
import type { Paint } from "./paint.js";
import { pauseLines } from "./pauses.js";
import { bytesLines, type Period } from "./bytes.js";
import { count, counted, counts, seconds, table, tableWithList } from "./tables.js";

/** Rows that are faulty, among those that made no candidate. */
const FAULTS = ROW_REASONS.filter(({ faulty }) => faulty).map(({ name }) => name);

/** As many odd names as help to find where they come from. */
const NAMED = 10;

/** The first names in quotes, and how many more there are. */
function few(names: readonly string[]): string {
  const named = names.slice(0, NAMED).map((name) => JSON.stringify(name));
  return [...named, ...(names.length > NAMED ? [`and ${count(names.length - NAMED)} more`] : [])].join(", ");
}

export interface SummaryOptions {
  paint: Paint;
  /** Columns of the terminal. */
  width: number;
  /** A signal ended the run early. */
  stopped: boolean;
  maxPerRun: number;
  period: Period;
  target: Pick<Target, "name" | "live" | "outbox">;
}

/** Everything that a run has to say for itself at its end, the closing line last. */
export function runSummary(result: RunResult, options: SummaryOptions): string[] {
  const { decisions, delivery, recovered } = result;
  const { paint } = options;
  const limited = total(decisions.segments.map(({ reasons }) => reasons["run_limit"] ?? 0));
  return [
    ...(recovered.released + recovered.inDoubt === 0
      ? []
      : [
          `Recovered from a run that never ended: ${counted(recovered.released, "claim")} released, to be decided again; ${count(recovered.inDoubt)} in doubt, held.`,
          "",
        ]),
    decisionTable(result, options),
    "",
    ...droppedLines(result),
    ...decisions.failedAudiences.map(({ audience }) => paint.red(`Audience ${audience} failed: the segments that use it wait.`)),
    ...decisions.unsharedAudiences.map((audience) =>
      paint.yellow(`Not one user of audience ${audience} is in a row of these segments: see whether its user_id is the id that they return.`),
    ),
    ...(decisions.unknownZones.length === 0 ? [] : [paint.yellow(`Unknown time zones, the project's was used: ${few(decisions.unknownZones)}.`)]),
    ...(limited === 0
      ? []
      : [
          paint.bold(
            paint.yellow(
              `RUN LIMIT: ${counted(limited, "candidate")} had no place left under max_per_run (${count(options.maxPerRun)} for the project). They wait, and are offered again in the next run.`,
            ),
          ),
        ]),
    ...pauseLines(result.pauses).map(paint.yellow),
    ...baselineLines(result, options.target),
    ...(delivery === null ? dryRunLines(result) : [deliveryLine(delivery, paint), whereLine(result, options.target)]),
    ...failureLines(result, options),
    ...doubtLines(result, options),
    ...(options.stopped ? [paint.yellow("Stopped by a signal: what had not been handed over was released, and is decided again in the next run.")] : []),
    ...bytesLines(result, options.period),
    closingLine(result, paint),
  ];
}

/** Why messages failed, the commonest reason first, and what helps. */
function failureLines({ delivery }: RunResult, { paint, target }: SummaryOptions): string[] {
  const reasons = delivery?.reasons ?? [];
  if (reasons.length === 0) return [];
  const rows = reasons.slice(0, COMMONEST).map(({ messages, outcome, channel, reason }) => [messages, outcome.replace("_", " "), channel, short(reason)]);
  const further = reasons.slice(COMMONEST);
  return [
    table(["failed", "as", "channel", "because"], rows, paint),
    ...(further.length === 0
      ? []
      : [`${count(total(further.map(({ messages }) => messages)))} more for other reasons: \`delivery.reasons\` in run_results.json.`]),
    // What is in doubt has a line of its own, in each run until it is settled.
    ...waysOut(
      reasons.filter(({ outcome }) => outcome !== "in_doubt"),
      targetOption(target),
    ),
  ];
}

/** What is in doubt still, of whichever run. */
function doubtLines({ doubts, delivery, recovered, trial }: RunResult, { paint, target }: SummaryOptions): string[] {
  const [oldest] = doubts;
  const all = total(doubts.map(({ messages }) => messages));
  const fresh = (delivery?.counts.inDoubt ?? 0) + (trial ? recovered.inDoubt - recovered.liveInDoubt : recovered.liveInDoubt);
  const others = trial ? recovered.liveInDoubt : recovered.inDoubt - recovered.liveInDoubt;
  return [
    ...(oldest === undefined
      ? []
      : [
          paint.yellow(
            `IN DOUBT: ${counted(all, "message")}, ${count(fresh)} of them new, the oldest since ${oldest.since}. \`opportune doubts${targetOption(target)}\` lists them, \`opportune doubts settle${targetOption(target)}\` settles them.`,
          ),
        ]),
    ...(others === 0
      ? []
      : [
          paint.yellow(
            trial
              ? `IN DOUBT: ${counted(others, "message")} of a live run. \`opportune doubts --target NAME\` lists them, where NAME is a live target.`
              : `In doubt: ${counted(others, "message")} of a trial. \`opportune doubts --target NAME\` lists them, where NAME is a target that is not live.`,
          ),
        ]),
  ];
}

/** Where the messages of the run went, and what that makes the run. */
function whereLine({ trial, went }: RunResult, { name, live, outbox }: SummaryOptions["target"]): string {
  const places: Readonly<Record<Place, string>> = { provider: "to the provider", sandbox: "to the sandbox", outbox: `into files under ${outbox}` };
  const gone = (["provider", "sandbox", "outbox"] as const).filter((place) => went[place] > 0);
  const messages =
    gone.length === 0
      ? "no message went out"
      : listed(gone.map((place, i) => `${i === 0 ? `${counted(went[place], "message")} went` : count(went[place])} ${places[place]}`));
  if (!trial) return `Target ${name} is live: ${messages}.`;
  return `${live ? `--as-of makes this run of target ${name} a trial` : `Target ${name} is not live, so this run is a trial`}: ${messages}.`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1) ?? ""}`;
}

/** Segment by segment, the same columns in every run: rows of its query, messages decided on, and why of the rest, the commonest reason first. */
function decisionTable({ decisions }: RunResult, { paint, width }: SummaryOptions): string {
  const { segments } = decisions;
  if (segments.length === 0) return "No segment took part.";
  const lines = segments.map(({ segment: name, returned, reasons }) => ({ name, returned: returned ?? "failed", reasons }));
  const all = { name: "all", returned: total(segments.map(({ returned }) => returned ?? 0)), reasons: summed(segments.map(({ reasons }) => reasons)) };
  const rows = (lines.length === 1 ? lines : [...lines, all]).map(({ name, returned, reasons }) => {
    const { claimed = 0, backfilled = 0 } = reasons;
    const inOrder = new Set([...REASONS.map((reason) => reason.name), ...Object.keys(reasons)]);
    const silent = [...inOrder].map((reason) => [reason, reasons[reason] ?? 0] as const).filter(([reason, n]) => reason !== "claimed" && n > 0);
    return {
      cells: [name, returned, total(Object.values(reasons)) - backfilled, claimed],
      list: silent.sort(([, a], [, b]) => b - a).map(([reason, n]) => `${count(n)} ${reason}`),
    };
  });
  return tableWithList(["segment", "rows", "messages", "claimed", "silent, because"], rows, width, paint);
}

/** Rows that made no candidate: the faulty ones segment by segment, the rest in sum. */
function droppedLines({ decisions }: RunResult): string[] {
  const part = (dropped: Readonly<Record<string, number>>, faulty: boolean): Record<string, number> =>
    Object.fromEntries(Object.entries(dropped).filter(([why]) => FAULTS.includes(why) === faulty));
  const idle = counts(summed(decisions.segments.map(({ dropped }) => part(dropped, false))));
  return [
    ...decisions.segments.flatMap(({ segment, dropped }) => {
      const faulty = counts(part(dropped, true));
      return faulty === "" ? [] : [`${segment}: rows dropped: ${faulty}.`];
    }),
    ...(idle === "" ? [] : [`Rows without anything to decide: ${idle}.`]),
  ];
}

/** What the first runs of segments made baseline, with the command that lifts it. */
function baselineLines({ decisions, dryRun }: RunResult, target: SummaryOptions["target"]): string[] {
  const begun = decisions.segments.filter(({ first, reasons }) => first && (reasons["baseline"] ?? 0) > 0);
  const [one] = begun;
  if (one === undefined) return [];
  const first = begun.length === 1 ? one.segment : counted(begun.length, "segment");
  const became = dryRun ? "would become" : "became";
  const all = count(total(begun.map(({ reasons }) => reasons["baseline"] ?? 0)));
  const command = (segment: string): string => `opportune run${targetOption(target)} --backfill ${segment}`;
  const widest = Math.max(...begun.map(({ segment }) => command(segment).length));
  return [
    `First run of ${first}: ${all} ${became} baseline, as they had qualified before, and hear nothing. To write to them after all:`,
    ...begun.map(({ segment, reasons }) => {
      const line = `    ${command(segment).padEnd(widest)}`;
      return begun.length === 1 ? line : `${line}  # ${count(reasons["baseline"] ?? 0)}`;
    }),
  ];
}

/** Counts added up by name. */
function summed(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const part of parts) for (const [name, n] of Object.entries(part)) sum[name] = (sum[name] ?? 0) + n;
  return sum;
}

function dryRunLines({ decisions, unrenderable, ahead }: RunResult): string[] {
  const claimed = total(decisions.segments.map(({ reasons }) => reasons["claimed"] ?? 0));
  const invalid = total(Object.values(unrenderable));
  return [
    `Dry run: ${counted(claimed, "message")} would be sent, nothing was, and the ledger is as it was.`,
    ...(ahead === null ? [] : [`It looks ahead to ${ahead}: what will be known by then, new rows, orders and opt-outs, is not in it.`]),
    ...(invalid === 0
      ? []
      : [`${count(invalid)} of these can't be rendered:`, ...Object.entries(unrenderable).map(([reason, n]) => `    ${count(n)} × ${reason}`)]),
  ];
}

function deliveryLine({ counts: delivered, posts, latency }: DeliveryResult, paint: Paint): string {
  const failed = delivered.failed.rejected + delivered.failed.invalid;
  const released = total(Object.values(delivered.released));
  const because = (byReason: Readonly<Record<string, number | undefined>>): string => (counts(byReason) === "" ? "" : ` (${counts(byReason)})`);
  const loud = (n: number, text: string): string => (n === 0 ? text : paint.yellow(text));
  const parts = [
    `${count(delivered.accepted)} accepted`,
    loud(failed, `${count(failed)} failed${because(delivered.failed)}`),
    loud(delivered.inDoubt, `${count(delivered.inDoubt)} in doubt`),
    loud(released, `${count(released)} released${because(delivered.released)}`),
  ];
  const answers =
    posts === 0
      ? ""
      : `; ${counted(posts, "request")}, half answered within ${String(Math.round(latency.p50))} ms, 99 % within ${String(Math.round(latency.p99))} ms`;
  return `Delivery: ${parts.join(", ")}${answers}.`;
}

function closingLine({ decisions, delivery, problems, ms, runId }: RunResult, paint: Paint): string {
  const failed = decisions.segments.filter(({ problem }) => problem !== null).length;
  const sum = (reason: string): number => total(decisions.segments.map(({ reasons }) => reasons[reason] ?? 0));
  const done = problems.length === 0 ? paint.green("Done.") : paint.red("Done, with errors.");
  const sent = delivery === null ? "" : ` ACCEPTED=${String(delivery.counts.accepted)}`;
  return `${done} OK=${String(decisions.segments.length - failed)} ERROR=${String(failed)} TOTAL=${String(decisions.segments.length)} CLAIMED=${String(sum("claimed"))} HELD_OUT=${String(sum("held_out"))}${sent} CHANGED=${String(decisions.changed)} in ${seconds(ms)} (run ${runId})`;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}
