/** Random projects for stories, and the edits that a team makes to them while a story goes on. */
import type { Audience, Cap, Channel, ChannelType, Policy, Project, Repeat, Segment, Source, Step, Treatment } from "../../src/project/types.js";
import { hashed, type Random } from "./random.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const CHANNELS: Readonly<Record<string, ChannelType>> = { mail: "email", text: "sms", push: "push", inbox: "in_app" };
export const AUDIENCES = ["ordered", "returned", "open_tickets", "staff", "consented", "members"] as const;
export const SOURCES = ["carts", "users", "orders"] as const;
const TOPICS = ["carts", "tips", null] as const;

/** A project of 2 to 6 segments over four channels, six audiences and three sources. */
export function drawProject(random: Random): Project {
  const segments = Array.from({ length: random.whole(2, 6) }, (_, index) => drawSegment(random, `seg_${index}`));
  return {
    root: "/story",
    name: "story",
    target: {
      name: "test",
      live: false,
      allow: [],
      schema: "opportune",
      outbox: "outbox",
      maxBytes: null,
      connection: { type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: null },
      onAlert: null,
    },
    anyLive: false,
    channels: new Map(Object.entries(CHANNELS).map(([name, type]) => [name, channel(name, type)])),
    policy: drawPolicy(random),
    sources: new Map(SOURCES.map((name) => [name, drawSource(random, name)])),
    idle: [],
    vars: {},
    intervalSeconds: 10 * MINUTE,
    links: { unsubscribeUrl: null, unsubscribeSecret: null, utm: {} },
    lint: new Map(),
    segments: new Map(segments.map((segment) => [segment.id, segment])),
    audiences: new Map(AUDIENCES.map((name) => [name, drawAudience(random, name)])),
  };
}

function channel(name: string, type: ChannelType): Channel {
  return {
    name,
    type,
    provider: "outbox",
    settings: { sandbox: false, timeoutSeconds: 10, onDoubt: "hold" },
    from: null,
    replyTo: null,
    inFlight: 1,
    ratePerSecond: 1000,
  };
}

function drawPolicy(random: Random): Policy {
  const hours = [null, { from: "21:00", to: "08:00" }, { from: "12:00", to: "13:30" }, { from: "22:30", to: "06:15" }];
  return {
    timezone: random.pick(["UTC", "Europe/Berlin", "America/New_York"]),
    locale: "en",
    quietHours: random.pick(hours),
    caps: random.some(CAPS, random.whole(0, 4)),
    spacingSeconds: random.pick([null, null, 30 * MINUTE, 4 * HOUR]),
    exclude: random.chance(0.15) ? ["staff"] : [],
    require: random.chance(0.12) ? ["members"] : [],
    holdout: random.pick([0, 0, 10, 50]),
    surge: null,
    maxPerRun: random.pick([4, 12, 1000]),
  };
}

const CAPS: readonly Cap[] = [
  { name: "1 mail per 24 hours", max: 1, windowSeconds: DAY, channel: "mail", topic: null },
  { name: "2 per 48 hours", max: 2, windowSeconds: 2 * DAY, channel: null, topic: null },
  { name: "3 per week", max: 3, windowSeconds: 7 * DAY, channel: null, topic: null },
  { name: "1 of carts per 36 hours", max: 1, windowSeconds: 36 * HOUR, channel: null, topic: "carts" },
  { name: "1 push of tips per day", max: 1, windowSeconds: DAY, channel: "push", topic: "tips" },
];

function drawSource(random: Random, name: string): Source {
  const loadedAt = random.chance(0.4) ? "max(loaded_at)" : null;
  return { name, table: `shop.${name}`, loadedAt, staleAfterSeconds: random.pick([null, 12 * HOUR, 2 * DAY]), line: 1 };
}

function drawAudience(random: Random, name: string): Audience {
  const minRows = random.chance(0.12) ? random.whole(1, 2) : 0;
  return { file: `segments/audiences/${name}.sql`, sql: `audience ${name}`, buildsOn: [], sqlLine: 1, version: "v1", name, description: null, minRows };
}

function drawSegment(random: Random, id: string): Segment {
  const transactional = random.chance(0.15);
  const keyed = random.chance(0.4) || transactional;
  const repeats: Repeat[] = [{ kind: "never" }, { kind: "each_occurrence" }, { kind: "every", seconds: random.pick([6 * HOUR, DAY, 3 * DAY]) }];
  return {
    file: `segments/${id}.sql`,
    sql: `query ${id}`,
    buildsOn: [],
    sqlLine: 1,
    version: "v1",
    id,
    description: null,
    because: null,
    status: random.chance(0.86) ? "live" : random.pick(["paused", "draft"]),
    signal: null,
    class: transactional ? "transactional" : "marketing",
    priority: random.pick([0, 10, 10, 50]),
    topic: random.pick(TOPICS),
    key: keyed ? "thing_id" : null,
    repeat: random.pick(repeats),
    goal: random.chance(0.5) ? { audience: random.pick(["ordered", "returned"]), withinSeconds: null } : null,
    exclude: random.chance(0.3) ? ["open_tickets"] : [],
    require: random.chance(0.2) ? ["consented"] : [],
    holdout: random.pick([0, 0, 0, 10, 50]),
    maxPerRun: random.pick([null, null, 2, 5]),
    firstRun: random.chance(0.4) ? "send" : "baseline",
    everySeconds: null,
    maxBytes: null,
    steps: drawSteps(random),
    contract: random.chance(0.3) ? [{ column: "plan", required: random.chance(0.5), acceptedValues: ["starter", "growth"] }] : [],
    keepProperties: [],
    lint: new Map(),
    places: new Map(),
  };
}

/** One to four steps; the offsets of a step's variants stay nearer to it than those of other steps. */
function drawSteps(random: Random): Step[] {
  const offsets = random.some([0, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY], random.pick([1, 2, 2, 3, 3, 4]));
  const steps = offsets.map((afterSeconds, index): Step => {
    const step = { name: `step_${index}`, factor: `step_${index}`, ...treatment(random, afterSeconds, index), variants: [] };
    if (random.chance(0.75)) return step;
    const varied = random.chance(0.5) ? afterSeconds + 5 * MINUTE : afterSeconds;
    return {
      ...step,
      variants: [
        { ...step, name: "a", weight: 1 },
        { ...treatment(random, varied, index), name: random.pick(["b", "c"]), weight: random.pick([1, 3]) },
      ].map(({ name, weight, afterSeconds: after, withinSeconds, channel: by, template }) => {
        return { name, weight, afterSeconds: after, withinSeconds, channel: by, template };
      }),
    };
  });
  return inOneFactor(steps);
}

/** In some stories the last step is one more of the first tested step's factor, which may be called after that step or not. */
function inOneFactor(steps: readonly Step[]): Step[] {
  const tested = steps.find(({ variants }) => variants.length > 0);
  const last = steps.at(-1);
  const draw = (of: string): number => hashed(JSON.stringify([of, steps]));
  if (tested === undefined || last === undefined || draw("shared") < 0.4) return [...steps];
  const factor = draw("named") < 0.5 ? "tone" : tested.factor;
  const { variants: _, factor: __, ...own } = last;
  const variants = tested.variants.map(({ name, weight }, place) => ({ ...own, name, weight, withinSeconds: own.withinSeconds * (1 + place) }));
  return steps.map((step) => {
    if (step === tested) return { ...step, factor };
    return step === last ? { ...step, factor, variants } : step;
  });
}

function treatment(random: Random, afterSeconds: number, index: number): Treatment {
  const withinSeconds = random.pick([30 * MINUTE, 2 * HOUR, DAY, 2 * DAY]);
  return { afterSeconds, withinSeconds, channel: random.pick(Object.keys(CHANNELS)), template: `template_${index}` };
}

/**
 * One edit of one segment: its query, its steps, their weights or factors, its repeat, its key, its priority or its status. `ages` are the seconds
 * between the segment's behaviours and the last run: a step moved there was due exactly by then.
 */
export function editProject(random: Random, project: Project, ages: (segment: string) => readonly number[]): Project {
  const before = random.pick([...project.segments.values()]);
  const edits: (() => Partial<Segment>)[] = [
    () => ({ sql: `${before.sql} again` }),
    () => ({ steps: renamed(random, before.steps) }),
    () => ({ steps: moved(random, before.steps, ages(before.id)) }),
    () => ({ steps: moved(random, before.steps, ages(before.id)) }),
    () => ({ steps: longer(before.steps) }),
    () => ({ steps: before.steps.map((step) => ({ ...step, variants: step.variants.map((each) => ({ ...each, weight: 4 - each.weight })) })) }),
    () => ({ steps: before.steps.map((step) => ({ ...step, factor: step.factor === "tone" ? step.name : "tone" })) }),
    () => ({ repeat: random.pick<Repeat>([{ kind: "never" }, { kind: "each_occurrence" }, { kind: "every", seconds: 2 * DAY }]) }),
    () => ({ key: before.key === null ? "thing_id" : null }),
    () => ({ priority: random.pick([0, 10, 50]) }),
    () => ({ status: random.pick(["live", "live", "live", "paused", "draft"]) }),
  ];
  const after = { ...before, ...random.pick(edits)() };
  return { ...project, segments: new Map([...project.segments].map(([id, each]) => [id, id === after.id ? after : each])) };
}

function renamed(random: Random, steps: readonly Step[]): Step[] {
  const victim = random.pick(steps);
  return steps.map((step) => (step === victim ? { ...step, name: `${step.name}x` } : step));
}

/** Moves one step to where it stays in its place among the others: a little later, or to one of the ages. */
function moved(random: Random, steps: readonly Step[], ages: readonly number[]): Step[] {
  const index = random.whole(0, steps.length - 1);
  const victim = steps[index] as Step;
  const low = (steps[index - 1]?.afterSeconds ?? -10 * MINUTE) + 10 * MINUTE;
  const high = (steps[index + 1]?.afterSeconds ?? Number.POSITIVE_INFINITY) - 10 * MINUTE;
  const fitting = [...ages, victim.afterSeconds + 20 * MINUTE].filter((age) => age >= low && age <= high);
  if (fitting.length === 0) return [...steps];
  const by = random.pick(fitting) - victim.afterSeconds;
  const variants = victim.variants.map((variant) => ({ ...variant, afterSeconds: variant.afterSeconds + by }));
  return steps.map((step) => (step === victim ? { ...step, afterSeconds: step.afterSeconds + by, variants } : step));
}

function longer(steps: readonly Step[]): Step[] {
  const last = steps.at(-1);
  if (last === undefined || steps.length > 4) return [...steps];
  const names = new Set(steps.map((step) => step.name));
  const name = ["extra", "extra_2", "extra_3"].find((each) => !names.has(each)) ?? "extra_4";
  return [...steps, { ...last, name, factor: name, afterSeconds: last.afterSeconds + 8 * HOUR, variants: [] }];
}
