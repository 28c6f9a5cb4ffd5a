/**
 * Random stories: a project, its users, and what they do over many runs. Instants often lie exactly on the edges that the
 * rules speak of (a due time, the end of a window, a cap's), because that is where two readings of a rule come apart.
 */
import type { Project, Segment } from "../../src/project/types.js";
import type { Random } from "./random.js";
import { createRandom, hashed } from "./random.js";
import { AUDIENCES, CHANNELS, SOURCES, drawProject, editProject } from "./story-project.js";
import type { AudienceRow, ClaimOutcome, DecidedRow, Pause, Preference, Staged, Suppression, WorldRow, WorldRun } from "./world.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface Story {
  seed: number;
  runs: readonly WorldRun[];
}

interface User {
  user_id: string;
  email: string | null;
  phone: string | null;
  device_token: string | null;
  timezone: string | null;
}

interface Behaviour {
  user: User;
  key: string | null;
  at: number;
  plan: string | null;
  total: number | null;
}

const EMAILS = [" Ada@Example.com ", "no-at-sign", "two@@example.com", "tab\t@example.com", "a b@example.com", "x@nodot", "", null];
const ZONES = [null, null, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Tokyo", "Mars/Olympus"];

/** ISO 8601 UTC with whole seconds. */
export function iso(instant: number): string {
  return new Date(instant).toISOString().replace(".000Z", "Z");
}

/** Draws one story; the same seed always draws the same. `many`: that many users, instead of some ten to 130. */
export function drawStory(seed: number, many?: number): Story {
  const random = createRandom(seed);
  let project = drawProject(random);
  const some = random.chance(0.25) ? random.whole(10, 40) : random.whole(70, 130);
  const users = Array.from({ length: many ?? some }, (_, index) => drawUser(random, index));
  const behaviours = new Map<string, Behaviour[]>();
  const goals = new Map<string, AudienceRow[]>(AUDIENCES.map((name) => [name, []]));
  const reads = drawReads(random, project);
  const start = Date.parse(random.pick(["2026-03-02T09:00:00Z", "2026-03-07T18:00:00Z", "2026-03-28T20:00:00Z"]));
  const edges = new Set<number>();
  const runs: WorldRun[] = [];
  let asOf = start;
  const length = random.whole(8, 16);
  const draw = (...of: readonly (string | number)[]): number => hashed(JSON.stringify([seed, ...of]));
  const surge =
    draw("breaker") < 0.4 ? { multiple: [1, 1.5, 3][Math.floor(3 * draw("multiple"))] ?? 1, atLeast: 12 + Math.floor(30 * draw("at least")) } : null;
  const trials = hashed(JSON.stringify([seed, "trials"])) < 0.4;
  while (runs.length < length) {
    const first = runs.length === 0;
    if (!first && random.chance(0.3)) project = editProject(random, project, agesAt(behaviours, runs));
    live(random, project, users, behaviours, goals, asOf, runs);
    for (const [id, list] of behaviours) addEdges(edges, project, id, list);
    runs.push({
      asOf: iso(asOf),
      project: surge === null ? project : { ...project, policy: { ...project.policy, surge } },
      rows: Object.fromEntries([...behaviours].map(([id, list]) => [id, rowsOf(random, list, asOf)])),
      audiences: Object.fromEntries([...goals].map(([name, rows]) => [name, random.chance(0.03) ? "failed" : [...rows]])),
      loadedAt: Object.fromEntries(SOURCES.map((name) => [name, drawLoadedAt(random, asOf, edges)])),
      reads,
      templateNeeds: { template_1: ["total"], template_2: ["total", "plan"] },
      ...drawWords(random, project, users, (index) => trials && hashed(JSON.stringify([seed, "word", runs.length, index])) < 0.3),
      ...(random.chance(0.15) ? { backfill: random.some([...project.segments.keys()], 2) } : {}),
      ...(random.chance(0.1) ? { select: random.some([...project.segments.keys()], 2) } : {}),
      ...(surge !== null && draw("approve", runs.length) < 0.25 ? { approve: [`seg_${Math.floor(4 * draw("approved", runs.length))}`] } : {}),
      outcome: outcomeOf(seed + asOf),
      ...(trials && hashed(JSON.stringify([seed, "trial", runs.length])) < 0.35 ? { trial: true } : {}),
    });
    asOf = nextInstant(random, asOf, edges, project);
    // Two weeks without a run, now and then: what is usual is of longer ago then.
    if (surge !== null && draw("silence", runs.length) < 0.06) asOf += 14 * DAY;
  }
  return { seed, runs: withForgotten(seed, runs) };
}

/** At most so many runs of a story are taken back. */
const MOST_FORGOTTEN = 2;

/** In some stories a run is taken back before the next one; it may be one more, by a clock that is ahead. */
function withForgotten(seed: number, runs: readonly WorldRun[]): WorldRun[] {
  const draw = (...of: readonly (string | number)[]): number => hashed(JSON.stringify([seed, ...of]));
  if (draw("forgets") >= 0.4) return [...runs];
  let forgotten = 0;
  return runs.flatMap((run, place) => {
    const before = runs[place - 1];
    if (before === undefined || forgotten === MOST_FORGOTTEN || draw("forget", place) >= 0.25) return [run];
    forgotten += 1;
    if (draw("ahead", place) < 0.4) return [{ ...run, forget: [before.asOf] }];
    const ahead = [HOUR, 8 * HOUR, DAY, 400 * DAY][Math.floor(4 * draw("how far", place))] ?? DAY;
    const asOf = Date.parse(before.asOf) + ahead;
    const { suppressions: _, preferences: __, pauses: ___, ...world } = before;
    return [
      { ...world, asOf: iso(asOf), outcome: outcomeOf(seed + asOf) },
      { ...run, forget: [iso(asOf)] },
    ];
  });
}

function drawUser(random: Random, index: number): User {
  const shared = random.whole(0, 4);
  const email = random.chance(0.05) ? random.pick(EMAILS) : random.chance(0.3) ? `Home${shared}@example.com` : `u${index}@example.com`;
  return {
    user_id: `u${index}`,
    email,
    phone: random.chance(0.9) ? `+4930${random.chance(0.2) ? shared : 100 + index}` : random.pick([null, " ", "+49 30"]),
    device_token: random.chance(0.9) ? ` token${random.chance(0.2) ? shared : 100 + index}` : null,
    timezone: random.pick(ZONES),
  };
}

function drawReads(random: Random, project: Project): Record<string, string[]> {
  const readers = [...project.segments.keys(), ...AUDIENCES];
  return Object.fromEntries(readers.map((name) => [name, random.some(SOURCES, random.whole(0, 2))]));
}

/** Behaviours appear, get touched, get replaced, vanish and return; users reach goals and come and go in audiences. */
function live(
  random: Random,
  project: Project,
  users: readonly User[],
  behaviours: Map<string, Behaviour[]>,
  audiences: Map<string, AudienceRow[]>,
  asOf: number,
  runs: readonly WorldRun[],
): void {
  const first = runs.length === 0;
  const instants = [asOf, ...runs.slice(-3).map((run) => Date.parse(run.asOf))];
  const moment = (): number => {
    if (random.chance(0.3)) return random.pick(instants) + random.pick([0, 0, -1000, 1000]);
    return asOf - random.pick([0, 5 * MINUTE, HOUR, 5 * HOUR, DAY, 4 * DAY]) - random.whole(0, 60) * MINUTE;
  };
  for (const segment of project.segments.values()) {
    const list = behaviours.get(segment.id) ?? [];
    const kept = list.filter(() => !random.chance(0.06));
    const gapEnds = gapEndsOf(segment, runs).filter((instant) => instant <= asOf);
    const when = (): number => (gapEnds.length > 0 && random.chance(0.3) ? random.pick(gapEnds) : moment());
    for (const each of kept) if (random.chance(0.08)) each.at = Math.max(each.at, when());
    for (const user of users) {
      if (!random.chance(first ? 0.35 : 0.12)) continue;
      const key = random.chance(0.02) ? null : `k${random.whole(1, 2)}`;
      kept.push({ ...drawProperties(random), user, key, at: when() });
    }
    behaviours.set(segment.id, distinct(kept));
  }
  for (const [name, rows] of audiences) {
    const rate = name === "consented" || name === "members" ? 0.4 : 0.02;
    const stay = rows.filter(() => !random.chance(0.06));
    for (const user of users) {
      if (!random.chance(rate)) continue;
      const time = random.chance(0.8) ? iso(moment() + (random.chance(0.1) ? DAY : 0)) : null;
      stay.push(time === null ? { user_id: user.user_id } : { user_id: user.user_id, occurred_at: time });
    }
    audiences.set(name, stay.slice(-3 * users.length));
  }
}

/** Behaviours whose first step would fall due exactly when `repeat: every` is over, counted from some earlier run. */
function gapEndsOf({ repeat, steps }: Segment, runs: readonly WorldRun[]): number[] {
  if (repeat.kind !== "every") return [];
  const offset = repeat.seconds - (steps[0]?.afterSeconds ?? 0);
  return runs.map((run) => Date.parse(run.asOf) + offset * 1000).flatMap((end) => [end, end - 1000]);
}

/** Seconds from a segment's behaviours to the last run. */
function agesAt(behaviours: ReadonlyMap<string, readonly Behaviour[]>, runs: readonly WorldRun[]): (segment: string) => number[] {
  const last = Date.parse(runs.at(-1)?.asOf ?? "");
  return (segment) => (behaviours.get(segment) ?? []).map(({ at }) => (last - at) / 1000);
}

function drawProperties(random: Random): Pick<Behaviour, "plan" | "total"> {
  const plan = random.chance(0.85) ? "growth" : random.pick(["starter", "trial", null]);
  return { plan, total: random.chance(0.93) ? 2 : null };
}

/** Two rows of one user, key and time would differ in nothing that a rule could choose by. */
function distinct(list: readonly Behaviour[]): Behaviour[] {
  return [...new Map(list.map((each) => [`${each.user.user_id} ${each.at}`, each])).values()];
}

function rowsOf(random: Random, list: readonly Behaviour[], asOf: number): Staged<WorldRow> {
  if (random.chance(0.04)) return "failed";
  const rows = list.filter(() => !random.chance(0.03)).map(({ user, key, at, plan, total }): WorldRow => ({ ...user, key, occurred_at: iso(at), plan, total }));
  if (!random.chance(0.1)) return rows;
  const odd = { email: "odd@example.com", phone: null, device_token: null, timezone: null, key: "k1", plan: null, total: null };
  return [...rows, { ...odd, user_id: null, occurred_at: iso(asOf) }, { ...odd, user_id: "u1", occurred_at: null }];
}

function addEdges(edges: Set<number>, project: Project, id: string, list: readonly Behaviour[]): void {
  const segment = project.segments.get(id);
  for (const { at } of list.slice(0, 12)) {
    for (const step of segment?.steps ?? []) {
      edges.add(at + step.afterSeconds * 1000);
      edges.add(at + (step.afterSeconds + step.withinSeconds) * 1000);
    }
  }
}

function drawLoadedAt(random: Random, asOf: number, edges: ReadonlySet<number>): string | null {
  if (random.chance(0.03)) return null;
  if (random.chance(0.75)) return iso(asOf);
  const near = [...edges].filter((edge) => edge <= asOf && edge > asOf - DAY);
  if (near.length > 0 && random.chance(0.5)) return iso(random.pick(near) - random.pick([0, 1000]));
  return iso(asOf - random.pick([HOUR, 12 * HOUR, DAY, 2 * DAY, 2 * DAY + 1000]));
}

/** What people, providers and breakers say between two runs: suppressions, preferences, pauses. `ofTrial`: of the word of that number. */
function drawWords(
  random: Random,
  project: Project,
  users: readonly User[],
  ofTrial: (word: number) => boolean,
): Pick<WorldRun, "suppressions" | "preferences" | "pauses"> {
  const topics = ["carts", "tips", null];
  const suppressions: Suppression[] = [];
  for (const user of random.some(users, random.whole(0, 2))) {
    const channel = random.pick(["mail", "mail", "text", "inbox"]);
    const address = channel === "mail" ? user.email : channel === "text" ? user.phone : user.user_id;
    if (address === null || address.trim() === "") continue;
    const reason = random.pick(["bounce", "complaint", "unsubscribe", "erased"]);
    const normalised = channel === "mail" ? address.trim().toLowerCase() : address.trim();
    suppressions.push({ channel, address: normalised, topic: random.pick(topics), reason });
  }
  const preferences: Preference[] = random.some(users, random.whole(0, 3)).map((user) => ({
    user_id: user.user_id,
    channel: random.pick([null, ...Object.keys(CHANNELS)]),
    topic: random.pick(topics),
    opted_in: random.chance(0.3),
  }));
  const pauses: Pause[] = [];
  if (random.chance(0.04)) pauses.push({ scope: "project", name: "", paused: true });
  else if (random.chance(0.6)) pauses.push({ scope: "project", name: "", paused: false });
  if (random.chance(0.15)) pauses.push({ scope: "segment", name: random.pick([...project.segments.keys()]), paused: random.chance(0.6) });
  if (random.chance(0.15)) pauses.push({ scope: "channel", name: random.pick(Object.keys(CHANNELS)), paused: random.chance(0.6) });
  let words = 0;
  const ofKind = <T>(word: T): T => (ofTrial(words++) ? { ...word, trial: true } : word);
  // Every second one in another form, every second pause of a channel a breaker's: nothing more is drawn for it.
  const other = <T extends { channel: string | null; topic: string | null }>(word: T, i: number): T =>
    i % 2 === 0 ? word : { ...word, channel: word.channel === null ? " " : word.channel.toUpperCase(), topic: word.topic === null ? "" : ` ${word.topic}` };
  const byBreaker = (pause: Pause): Pause => (pause.scope === "channel" && users.length % 2 === 0 ? { ...pause, kind: "breaker" } : pause);
  return {
    suppressions: suppressions.map(other).map(ofKind),
    preferences: preferences.map(other).map(ofKind),
    pauses: pauses.map(byBreaker).map(ofKind),
  };
}

/** Hangs on run and claim alone, so that it is the same whoever asks and in whatever order. */
function outcomeOf(run: number): (claim: DecidedRow) => ClaimOutcome {
  return ({ segment, step, user_id, key, occurred_at, due_at }) => {
    const draw = hashed(JSON.stringify([run, segment, step, user_id, key, occurred_at, due_at]));
    if (draw < 0.06) return "failed";
    if (draw < 0.1) return "invalid";
    if (draw < 0.15) return "in_doubt";
    if (draw < 0.2) return "released";
    if (draw < 0.22) return "resent";
    return draw < 0.24 ? "retried" : "accepted";
  };
}

/** The next run: minutes to days on, often exactly on an edge, now and then at the same instant again. */
function nextInstant(random: Random, asOf: number, edges: ReadonlySet<number>, { policy }: Project): number {
  if (random.chance(0.03)) return asOf;
  const windows = [...policy.caps.map((cap) => cap.windowSeconds), policy.spacingSeconds ?? 0].map((seconds) => asOf + seconds * 1000);
  const ahead = [...edges, ...windows].filter((edge) => edge > asOf && edge <= asOf + DAY);
  if (ahead.length > 0 && random.chance(0.4)) return random.pick(ahead);
  if (policy.quietHours !== null && random.chance(0.25)) return quietEdge(random, asOf, policy.quietHours);
  return asOf + random.pick([5 * MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR, DAY]);
}

/** The next instant at which the hours shut or open in some zone of the stories. */
function quietEdge(random: Random, asOf: number, hours: { from: string; to: string }): number {
  const offset = random.pick([0, HOUR, 2 * HOUR, -5 * HOUR, -4 * HOUR, 5.5 * HOUR]);
  const edge = Date.parse(`${iso(asOf).slice(0, 10)}T${random.pick([hours.from, hours.to])}:00Z`) - offset + random.pick([0, 0, -1000]);
  return edge > asOf ? edge : edge + DAY > asOf ? edge + DAY : edge + 2 * DAY;
}
