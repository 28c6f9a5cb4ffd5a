/** What `debug` found: one line a check, with the way out where it failed. */
import { REASONS } from "../arbitration/reasons.js";
import { instant } from "../core/clock.js";
import { formatDuration } from "../core/durations.js";
import { formatProblem, type Problem } from "../core/errors.js";
import { strangerWords, type Stranger } from "../core/stranger.js";
import type { Facts } from "../ledger/facts.js";
import type { StandingPause } from "../ledger/pauses.js";
import type { StandingDoubts } from "../ledger/recovery/standing-doubts.js";
import { leaves, providerKind } from "../delivery/providers/registry.js";
import type { Project, Target } from "../project/types.js";
import type { Newest } from "../segments/freshness.js";
import { VERSION } from "../version.js";
import type { Paint } from "./paint.js";
import { pauseText } from "./pauses.js";
import { counted } from "./tables.js";

export interface Check {
  /** WARN: a run works, but not as somebody may think. SKIP: can't be looked at from here, and need not be. */
  state: "OK" | "WARN" | "FAIL" | "SKIP";
  name: string;
  text: string;
  /** The way out. */
  hint?: string;
}

/** What a run needs of a Node, as in package.json. */
const LEAST_NODE: readonly [number, number] = [20, 19];

export function ok(name: string, text: string): Check {
  return { state: "OK", name, text };
}

export function failed(name: string, problem: Problem): Check {
  return found("FAIL", name, problem);
}

function found(state: "FAIL" | "WARN", name: string, problem: Problem): Check {
  const { hint, ...rest } = problem;
  return { state, name, text: formatProblem(rest), ...(hint === undefined ? {} : { hint }) };
}

/** Checks as lines, the hint of a failed one below it. */
export function checkLines(checks: readonly Check[], paint: Paint): string[] {
  const widest = Math.max(...checks.map(({ name }) => name.length));
  const colours = { OK: paint.green, WARN: paint.yellow, FAIL: paint.red, SKIP: paint.dim };
  const failures = checks.filter(({ state }) => state === "FAIL").length;
  const warnings = checks.filter(({ state }) => state === "WARN").length;
  const well = warnings === 0 ? paint.green("All is well.") : paint.yellow(`All works, with ${counted(warnings, "warning")}.`);
  return [
    ...checks.flatMap(({ state, name, text, hint }) => [
      `${colours[state](state.padEnd(4))}  ${name.padEnd(widest)}  ${text}`,
      ...(hint === undefined ? [] : [`${" ".repeat(widest + 8)}${hint}`]),
    ]),
    "",
    failures === 0 ? well : paint.red(`${String(failures)} of ${String(checks.length)} checks failed.`),
  ];
}

/** Opportune, Node and the platform. */
export function versionChecks(): Check[] {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const fits = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  const text = `opportune ${VERSION}, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  return [fits ? ok("versions", text) : failed("versions", { code: "debug/node", message: text, hint: `Node ${LEAST_NODE.join(".")} or newer is needed.` })];
}

export function ledgerCheck(schema: string, { version, expected }: { version: number; expected: number }): Check {
  if (version === expected) return ok("ledger", `schema ${schema}, version ${String(version)}`);
  if (version === 0) return failed("ledger", { code: "ledger/version", message: `there is none in schema ${schema}`, hint: "Run `opportune ledger install`." });
  const hint = version > expected ? "Upgrade Opportune on this machine." : "Run `opportune ledger install`.";
  return failed("ledger", {
    code: "ledger/version",
    message: `schema ${schema} is of version ${String(version)}, this Opportune needs ${String(expected)}`,
    hint,
  });
}

/** Provider, where messages go, and whether a key is there; never the key. */
export function channelChecks({ channels, target }: Project): Check[] {
  return [...channels.values()].map((channel) => {
    const name = `channel ${channel.name}`;
    if (!leaves(channel)) return ok(name, `${channel.provider}: files in ${target.outbox}`);
    const kind = providerKind(channel.provider);
    const { sandbox } = channel.settings;
    const { place, key } = kind.facts(channel.settings);
    const really = target.live || sandbox || target.allow.length > 0;
    const where = sandbox
      ? "the sandbox on this machine"
      : target.live
        ? "live"
        : target.allow.length > 0
          ? "not live: the allow-list alone"
          : "not live: to the outbox";
    const text = `${channel.provider} at ${place} (${where}), key present: ${key ? "yes" : "no"}, from: ${channel.from ?? "the templates"}`;
    if (key || sandbox || !really) return ok(name, text);
    const [setting = "key", value = "${KEY}"] = Object.entries(kind.example)[0] ?? [];
    return failed(name, {
      code: "delivery/no-key",
      message: text,
      hint: `Set its \`${setting}\` to a variable, for example ${value}, and the variable in the environment or in .env.`,
    });
  });
}

/** What was asked of the sources. */
interface SourceFacts {
  /** Names of those that something reads. */
  used: ReadonlySet<string>;
  /** Source → the warehouse's complaint. */
  unreadable: ReadonlyMap<string, string>;
  newest: ReadonlyMap<string, Newest>;
}

/** `now`: ms since 1970 UTC. */
export function sourceChecks({ sources }: Project, { used, unreadable, newest }: SourceFacts, now: number): Check[] {
  return [...sources.values()].map(({ name: source, table, loadedAt, staleAfterSeconds }) => {
    const name = `source ${source}`;
    if (!used.has(source)) return { state: "SKIP", name, text: `${table} isn't read by any segment or audience in use` };
    const complaint = unreadable.get(source);
    if (complaint !== undefined)
      return failed(name, {
        code: "debug/source",
        message: `${table} can't be read: ${complaint}`,
        hint: `Correct \`sources.${source}\` in opportune.yml, or grant access to the table.`,
      });
    if (loadedAt === null) return ok(name, `${table} is readable; no loaded_at`);
    const { at, complaint: refused } = newest.get(source) ?? { at: null, complaint: null };
    if (at === null)
      return failed(name, {
        code: "debug/source",
        message: `${table}: ${loadedAt} gives no time${refused === null ? ", as the table is empty or holds none" : `: ${refused}`}`,
        hint: "The segments that read it wait as stale_data.",
      });
    const age = Math.max(0, Math.round((now - Date.parse(at)) / 1000));
    const text = `${table} is readable; newest data ${formatDuration(age)} old`;
    if (staleAfterSeconds === null || age <= staleAfterSeconds) return ok(name, text);
    return failed(name, {
      code: "debug/source",
      message: `${text}, older than stale_after (${formatDuration(staleAfterSeconds)})`,
      hint: "The segments that read it wait as stale_data until newer data arrives.",
    });
  });
}

/** A copy is where experiments are made; only a live target must not send from one. */
export function homeCheck(schema: string, stranger: Stranger | null, live: boolean): Check {
  if (stranger === null) return ok("database", "the one that the ledger was made in, or was approved for");
  if (!live) return ok("database", "a copy or a restore of the ledger's own; harmless, as the target is not live");
  return failed("database", { code: "ledger/copy", ...strangerWords(stranger, schema) });
}

export function pauseCheck(pauses: readonly StandingPause[], { segments }: Project): Check {
  const commands = pauses.map(pauseText);
  const files = [...segments.values()].filter(({ status }) => status === "paused").map(({ id }) => `segment ${id} (in its file)`);
  const all = [...commands, ...files];
  return ok("paused", all.length === 0 ? "nothing" : `${all.join(", ")}; \`opportune resume SEGMENT\`, with --channel or --all, ends a pause`);
}

/** `idle`: rows that hold nobody back. */
export function optOutChecks(idle: readonly Problem[]): Check[] {
  if (idle.length === 0) return [ok("opt-outs", "each row of suppressions and preferences can match somebody")];
  return idle.map((problem) => found("WARN", "opt-outs", problem));
}

/** Messages in doubt that nobody has settled. */
export function doubtsCheck(doubts: readonly StandingDoubts[], target: Pick<Target, "name">): Check {
  const [oldest] = doubts;
  if (oldest === undefined) return ok("in doubt", "no message");
  const messages = doubts.reduce((sum, each) => sum + each.messages, 0);
  return failed("in doubt", {
    code: "debug/in-doubt",
    message: `${counted(messages, "message")}, the oldest since ${oldest.since}`,
    hint: `\`opportune doubts --target ${target.name}\` lists them; \`opportune doubts settle --target ${target.name}\` settles them.`,
  });
}

/** What guards held back in the last run of each segment; `decisions` by reason. */
export function guardChecks(last: readonly { segment: string; asOf: string; decisions: Readonly<Record<string, number>> }[]): Check[] {
  const held = last.flatMap(({ segment, asOf, decisions }) =>
    REASONS.map(({ name, guard }) => ({ segment, asOf, reason: name, guard, candidates: decisions[name] ?? 0 })),
  );
  const checks = held.flatMap(({ segment, asOf, reason, guard, candidates }) => {
    if (guard === null || candidates === 0) return [];
    const message = `${counted(candidates, "candidate")} waited as ${reason} in its last run, as of ${asOf}`;
    return [failed(`segment ${segment}`, { code: "debug/held", message, hint: guard.replaceAll("{segment}", segment) })];
  });
  return checks.length === 0 ? [ok("guards", "no segment's last run held anything back")] : checks;
}

/** `skew`: what is wrong between the clocks; `ahead`: a run that is still to come; `target`: the option that commands need to mean this one. `oneClock`: the warehouse has none of its own. */
export function clockCheck(skew: Problem | null, ahead: { runId: string; asOf: string } | null, target: string, oneClock: boolean): Check {
  if (skew !== null) return failed("clock", skew);
  if (ahead === null) return ok("clock", oneClock ? "the warehouse goes by this machine's" : "this machine's and the warehouse's agree");
  return failed("clock", {
    code: "ledger/ahead",
    message: `the ledger knows a run as of ${ahead.asOf}, which is still to come: no other runs until then`,
    hint: `If the clock of that run was ahead, take it back with \`opportune ledger forget${target} ${ahead.runId}\`.`,
  });
}

/** Held is fine while a run is under way; `now`: ms since 1970 UTC. `oneProcess`: whoever can look knows that the holder has ended. */
export function leaseCheck({ holder, until }: Facts["lease"], now: number, oneProcess: boolean): Check {
  if (holder === null || until === null) return ok("lease", "free: no run is under way");
  const process = holder.split("-")[0] ?? holder;
  if (oneProcess) return ok("lease", `left behind by process ${process}, which has ended; the next run takes it`);
  const end = Date.parse(until);
  return ok("lease", end < now ? `left behind by process ${process}; free again since ${instant(end)}` : `held by process ${process} until ${instant(end)}`);
}
