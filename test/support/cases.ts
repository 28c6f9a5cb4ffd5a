/**
 * Reads the decision table (`test/decisions/*.yml`) into the worlds that deciders take. A case is a situation, a policy and
 * the rows that the ledger must gain; everything a case does not say has a default, told in `test/decisions/01-baseline.yml`.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { loadProject } from "../../src/project/build/load.js";
import type { Project } from "../../src/project/types.js";
import type { AudienceRow, ClaimOutcome, DecidedRow, Pause, Staged, WorldRow, WorldRun } from "./world.js";

const anything = z.record(z.string(), z.unknown());
const timed = z.record(z.string(), z.string().nullable());
const names = z.array(z.string());
const row = z.looseObject({ user: z.string().nullable(), at: z.string().nullable() });
const member = z.union([z.string(), z.strictObject({ user: z.string(), at: z.string().nullable().optional() })]);
const suppression = z.strictObject({
  channel: z.string(),
  address: z.string(),
  topic: z.string().optional(),
  reason: z.string(),
  trial: z.boolean().optional(),
});
const preference = z.strictObject({
  user: z.string(),
  channel: z.string().optional(),
  topic: z.string().optional(),
  says: z.enum(["yes", "no", "nothing"]),
  trial: z.boolean().optional(),
});

const runShape = z.strictObject({
  at: z.string(),
  trial: z.literal(true).optional(),
  rows: z.record(z.string(), z.union([z.literal("failed"), z.array(row)])).default({}),
  audiences: z.record(z.string(), z.union([z.literal("failed"), z.array(member)])).default({}),
  loaded_at: timed.default({}),
  suppressions: z.array(suppression).default([]),
  preferences: z.array(preference).default([]),
  pause: names.default([]),
  resume: names.default([]),
  backfill: names.optional(),
  approve: names.optional(),
  forget: names.optional(),
  prune: z.string().optional(),
  before_factors: z.literal(true).optional(),
  remove: names.default([]),
  select: names.optional(),
  edit: z.record(z.string(), anything).default({}),
  policy: anything.default({}),
  outcome: z.record(z.string(), z.enum(["accepted", "failed", "invalid", "in_doubt", "released", "resent", "retried"])).default({}),
  expect: names,
});

const caseShape = z.strictObject({
  name: z.string().min(10),
  pair: z
    .string()
    .regex(/^\d+-\d+$/)
    .optional(),
  note: z.string().optional(),
  policy: anything.default({}),
  segments: z.record(z.string(), anything.nullable()),
  audiences: z.record(z.string(), anything.nullable()).default({}),
  sources: z.record(z.string(), anything).default({}),
  reads: z.record(z.string(), names).default({}),
  template_needs: z.record(z.string(), names).default({}),
  runs: z.array(runShape).min(1),
});

const fileShape = z.strictObject({ about: z.string(), cases: z.array(caseShape).min(1) });

type FrontMatter = Readonly<Record<string, unknown>>;

/** A case as written, and the file it stands in. */
export type DecisionCase = z.infer<typeof caseShape> & { file: string };

/** A ledger row that a case expects; a field that is absent is not looked at. */
export interface ExpectedRow {
  text: string;
  base: string;
  /** `*` in the case: any rule will do. */
  anyRule: boolean;
  anchor?: string;
  due?: string;
  variant?: string;
  factor?: string;
  channel?: string;
  send_by?: string;
}

/** The fields that an expectation may name, and those of them that are instants. */
const EXTRAS = ["anchor", "due", "variant", "factor", "channel", "send_by"] as const;
const TIMES: readonly string[] = ["anchor", "due", "send_by"];
type Extras = Partial<Record<(typeof EXTRAS)[number], string>>;

/** One run of a case: what the decider is given, and what it must append. */
export interface CaseStep {
  run: WorldRun;
  expected: readonly ExpectedRow[];
}

const WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/**
 * A time of the table as ISO 8601 in UTC, to the second: `12:00` is Monday 2 March 2026, `Tue 12:00` the day after, and
 * any other day is written out, `2026-04-01 12:00`. Throws on anything else.
 */
export function readTime(text: string): string {
  const found = /^(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun) |(\d{4}-\d\d-\d\d)[ T])?(\d\d:\d\d)(:\d\d)?Z?$/.exec(text);
  const clock = found?.[3];
  if (found === null || clock === undefined) {
    throw new Error(`"${text}" is no time of the table; write 12:00, Tue 12:00:30 or 2026-04-01 12:00 (all UTC)`);
  }
  const weekday = found[1] === undefined ? 0 : WEEK.indexOf(found[1]);
  const day = found[2] ?? `2026-03-0${String(2 + weekday)}`;
  const time = new Date(`${day}T${clock}${found[4] ?? ":00"}Z`);
  return time.toISOString().replace(".000Z", "Z");
}

const EVENTS = ["claimed", "held_out", "waiting", "denied", "settled", "left", "backfilled"];
/** Events that are their own reason, written once. */
const ALONE = ["claimed", "held_out", "left", "backfilled"];

/**
 * A line of `expect`: `segment/step user#key event reason (rule) anchor=… due=… variant=… factor=… channel=… send_by=…`. The key, the rule and
 * all that follows are optional, and nothing behind a "=" says that there is nothing; a claim, a hold-out, a `left` and a backfill name their reason by their event. Throws on
 * anything else.
 */
export function readExpectation(line: string): ExpectedRow {
  const found = /^([\w-]+\/[\w-]+) ([^\s#]+)(?:#(\S+))? (\w+)(?: ([a-z_]+))?(?: \(([^)]+)\))?((?: \w+=(?:\w{3} [\d:]+|[\d-]{10} [\d:]+|\S*))*)$/.exec(line);
  const event = found?.[4];
  if (found === null || event === undefined || !EVENTS.includes(event) || ALONE.includes(event) === (found[5] !== undefined)) {
    throw new Error(`"${line}" is no expectation; write e.g. cart/nudge ada waiting cap (2 per 48 hours)`);
  }
  const anyRule = found[6] === "*";
  const base = baseLine(found[1] ?? "", found[2] ?? "", found[3] ?? "", event, found[5] ?? event, anyRule ? "" : (found[6] ?? ""));
  const extras = [...(found[7] ?? "").matchAll(/ (anchor|due|variant|factor|channel|send_by)=(\w{3} [\d:]+|[\d-]{10} [\d:]+|\S*)/g)];
  if (extras.map(([all]) => all).join("") !== (found[7] ?? "")) throw new Error(`"${line}" names more than ${EXTRAS.join(", ")}`);
  const values = extras.map(([, name = "", value = ""]) => [name, TIMES.includes(name) && value !== "" ? readTime(value) : value]);
  return {
    text: line,
    base,
    anyRule,
    ...(Object.fromEntries(values) as Extras),
  };
}

/**
 * Both sides as sorted lines, for one `toEqual`: rows are paired by who, what and why, and a paired row shows the anchor,
 * due time, variant, factor, channel and send_by only where the expectation names them.
 */
export function compareRows(rows: readonly DecidedRow[], expected: readonly ExpectedRow[]): { got: string[]; want: string[] } {
  const wanted = expected.map((line) => ({ line, sort: line.base + (line.anchor ?? "") })).sort(bySort);
  const found = rows
    .map((decided) => {
      const rule = expected.some((line) => line.anyRule && line.base === rowLine(decided, "")) ? "" : decided.rule;
      const base = rowLine(decided, rule);
      return { decided, base, sort: base + decided.occurred_at };
    })
    .sort(bySort);
  const got = found.map(({ decided, base }, index) => {
    const line = wanted[index]?.line;
    if (line?.base !== base) return base;
    return (
      base +
      extrasOf(line, {
        anchor: decided.occurred_at,
        due: decided.due_at,
        variant: decided.variant,
        factor: decided.factor,
        channel: decided.channel,
        send_by: decided.send_by,
      })
    );
  });
  return { got, want: wanted.map(({ line }) => line.base + extrasOf(line, line)) };
}

function extrasOf(named: ExpectedRow, values: Extras): string {
  const fields = EXTRAS.filter((field) => named[field] !== undefined);
  return fields.map((field) => ` ${field}=${values[field] ?? ""}`).join("");
}

function bySort(a: { sort: string }, b: { sort: string }): number {
  return a.sort < b.sort ? -1 : a.sort > b.sort ? 1 : 0;
}

function rowLine(decided: DecidedRow, rule: string): string {
  return baseLine(`${decided.segment}/${decided.step}`, decided.user_id, decided.key, decided.event, decided.reason, rule);
}

function baseLine(step: string, user: string, key: string, event: string, reason: string, rule: string): string {
  const why = ALONE.includes(event) && event === reason ? event : `${event} ${reason}`;
  return `${step} ${user}${key === "" ? "" : `#${key}`} ${why}${rule === "" ? "" : ` (${rule})`}`;
}

/** Reads every case of a folder, in the order of files and of cases within them. Throws, naming the file, on a malformed one. */
export function readCases(folder: string): DecisionCase[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(".yml"))
    .sort();
  return files.flatMap((file) => {
    const read = fileShape.safeParse(parse(readFileSync(path.join(folder, file), "utf8")));
    if (!read.success) throw new Error(`${file}: ${z.prettifyError(read.error)}`);
    return read.data.cases.map((one) => ({ ...one, file }));
  });
}

/** Writes the projects of cases under one temporary folder and loads them as a run would. `dispose` removes the folder. */
export function createCaseWorlds(): { stepsOf(one: DecisionCase): CaseStep[]; dispose(): void } {
  const root = mkdtempSync(path.join(tmpdir(), "opportune-cases-"));
  const loaded = new Map<string, Project>();

  function load(files: Readonly<Record<string, string>>): Project {
    const id = createHash("md5").update(JSON.stringify(files)).digest("hex");
    const known = loaded.get(id);
    if (known !== undefined) return known;
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(root, id, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const project = loadProject(path.join(root, id), { env: {} });
    loaded.set(id, project);
    return project;
  }

  return {
    stepsOf: (one) => stepsOf(one, load),
    dispose: () => {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function stepsOf(one: DecisionCase, load: (files: Readonly<Record<string, string>>) => Project): CaseStep[] {
  const steps: CaseStep[] = [];
  let segments: Record<string, FrontMatter> = Object.fromEntries(Object.entries(one.segments).map(([id, written]) => [id, written ?? {}]));
  let policy: FrontMatter = one.policy;
  let rows: Record<string, Staged<WorldRow>> = {};
  let audiences: Record<string, Staged<AudienceRow>> = {};
  let loadedAt: Record<string, string | null> = {};
  for (const run of one.runs) {
    for (const [id, change] of Object.entries(run.edit)) segments = { ...segments, [id]: { ...segments[id], ...change } };
    for (const id of run.remove) segments = Object.fromEntries(Object.entries(segments).filter(([name]) => name !== id));
    policy = { ...policy, ...run.policy };
    rows = { ...rows, ...mapValues(run.rows, (list) => (list === "failed" ? list : list.map(worldRow))) };
    audiences = {
      ...audiences,
      ...mapValues(run.audiences, (list) => (list === "failed" ? list : list.map(audienceRow))),
    };
    loadedAt = { ...loadedAt, ...mapValues(run.loaded_at, (at) => (at === null ? null : readTime(at))) };
    const files = projectFiles(one, policy, segments);
    const project = load(files);
    steps.push({
      expected: run.expect.map(readExpectation),
      run: {
        asOf: readTime(run.at),
        project,
        rows: { ...mapValues(segments, () => []), ...rows },
        audiences: { ...Object.fromEntries([...project.audiences.keys()].map((name) => [name, []])), ...audiences },
        loadedAt,
        reads: one.reads,
        templateNeeds: one.template_needs,
        suppressions: run.suppressions.map(({ trial, ...entry }) => ({ ...entry, topic: entry.topic ?? null, ...(trial === undefined ? {} : { trial }) })),
        preferences: run.preferences.map(({ user, channel, topic, says, trial }) => ({
          ...(trial === undefined ? {} : { trial }),
          user_id: user,
          channel: channel ?? null,
          topic: topic ?? null,
          opted_in: says === "nothing" ? null : says === "yes",
        })),
        pauses: [...run.pause.map((place) => pauseOf(place, true)), ...run.resume.map((place) => pauseOf(place, false))],
        outcome: outcomes(run.outcome),
        ...(run.trial === undefined ? {} : { trial: run.trial }),
        ...(run.backfill === undefined ? {} : { backfill: run.backfill }),
        ...(run.approve === undefined ? {} : { approve: run.approve }),
        ...(run.forget === undefined ? {} : { forget: run.forget.map(readTime) }),
        ...(run.prune === undefined ? {} : { prune: readTime(run.prune) }),
        ...(run.before_factors === undefined ? {} : { beforeFactors: run.before_factors }),
        ...(run.select === undefined ? {} : { select: run.select }),
      },
    });
  }
  return steps;
}

function outcomes(written: Readonly<Record<string, ClaimOutcome>>): (claim: DecidedRow) => ClaimOutcome {
  return (claim) => written[`${claim.segment}/${claim.step} ${claim.user_id}${claim.key === "" ? "" : `#${claim.key}`}`] ?? "accepted";
}

/** `project`, `segment cart` or `channel email until 13:00`; a trial's breaker sets `trial breaker channel email`. */
function pauseOf(place: string, paused: boolean): Pause {
  const [, trial, breaker, scope = "", name = "", until] = /^(trial )?(breaker )?(\w+)(?: (\w+))?(?: until (.+))?$/.exec(place) ?? [];
  if (scope !== "project" && scope !== "segment" && scope !== "channel") throw new Error(`"${place}": pause the project, a segment or a channel`);
  return {
    scope,
    name,
    paused,
    ...(breaker === undefined ? {} : { kind: "breaker" }),
    ...(until === undefined ? {} : { until: readTime(until) }),
    ...(trial === undefined ? {} : { trial: true }),
  };
}

/** Everyone has an address of their own on each channel, unless the case says otherwise. */
function worldRow({ user, at, ...given }: z.infer<typeof row>): WorldRow {
  const digits = parseInt(
    createHash("md5")
      .update(user ?? "")
      .digest("hex")
      .slice(0, 8),
    16,
  );
  const addresses = {
    email: `${user ?? "nobody"}@example.com`,
    phone: `+1415${String(digits % 10_000_000).padStart(7, "2")}`,
    device_token: `device-of-${user ?? "nobody"}`,
  };
  const properties = given as Record<string, string | number | boolean | null>;
  return { ...addresses, ...properties, user_id: user, occurred_at: at === null ? null : readTime(at) };
}

function audienceRow(one: z.infer<typeof member>): AudienceRow {
  if (typeof one === "string") return { user_id: one };
  return { user_id: one.user, occurred_at: typeof one.at === "string" ? readTime(one.at) : null };
}

function mapValues<T, U>(from: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(value)]));
}

/** What a segment is when its case does not say: live, and in its first run ready to send (but in `01-baseline.yml`). */
const SEGMENT = { status: "live", first_run: "send" };
const STEP = { name: "nudge", after: "10 minutes", within: "6 hours" };

function projectFiles(one: DecisionCase, policy: FrontMatter, segments: Readonly<Record<string, FrontMatter>>): Record<string, string> {
  const outbox = (type: string): FrontMatter => ({ type, provider: "outbox" });
  const config = {
    name: "table",
    targets: { table: { type: "duckdb", path: ":memory:" } },
    channels: { email: { ...outbox("email"), from: "hello@example.com" }, sms: outbox("sms"), push: outbox("push"), bell: outbox("in_app") },
    policy: { timezone: "UTC", ...policy },
    ...(Object.keys(one.sources).length === 0 ? {} : { sources: one.sources }),
  };
  const files: Record<string, string> = { "opportune.yml": stringify(config) };
  const audiences = new Set([...Object.keys(one.audiences), ...audiencesOf(policy)]);
  for (const [id, { query = 1, steps = [STEP], ...written }] of Object.entries(segments)) {
    const full = (steps as FrontMatter[]).map((step) => ({ channel: "email", template: "note", ...step }));
    files[`segments/${id}.sql`] = `/*---\n${stringify({ id, ...SEGMENT, ...written, steps: full })}---*/\nselect 1 -- query ${String(query)}\n`;
    for (const name of audiencesOf(written)) audiences.add(name);
    for (const step of full) addTemplates(files, step);
  }
  for (const name of audiences) {
    const written = one.audiences[name] ?? {};
    const matter = Object.keys(written).length === 0 ? "" : `/*---\n${stringify(written)}---*/\n`;
    files[`segments/audiences/${name}.sql`] = `${matter}select 1\n`;
  }
  return files;
}

function audiencesOf(written: FrontMatter): string[] {
  const goal = written["goal"] as { audience: string } | undefined;
  const list = (name: string): string[] => (written[name] ?? []) as string[];
  return [...(goal === undefined ? [] : [goal.audience]), ...list("exclude"), ...list("require")];
}

function addTemplates(files: Record<string, string>, step: FrontMatter): void {
  const variants = Object.values((step["variants"] ?? {}) as Record<string, FrontMatter>);
  for (const { template } of [step, ...variants]) {
    if (typeof template === "string") files[`templates/${template}.hbs`] = "---\nsubject: Hello\n---\nHello.\n";
  }
}
