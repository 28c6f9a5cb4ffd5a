/** From validated files to the shapes that the rest of the job reads. */
import { CHANNEL_TYPES } from "../../channels/registry.js";
import type { Problem } from "../../core/errors.js";
import { providedBy } from "../../delivery/providers/registry.js";
import { audiencesIn, builtOn, type AudienceFiles } from "../written/build-on.js";
import type { FrontMatterFile } from "../written/files.js";
import { buildSilences } from "../schema/lint-rules.js";
import type { ProjectFile } from "../schema/project-schema.js";
import type { AudienceFrontMatter, SegmentFrontMatter } from "../schema/segment-schema.js";
import type { Audience, Cap, Channel, Links, OnAlert, Policy, Segment, Source, SqlFile, Step, Target, Treatment } from "../types.js";
import { typeOf } from "../targets/targets.js";
import type { Place, YamlSource } from "../written/yaml-source.js";

export function buildTarget(name: string, target: ProjectFile["targets"][string], intervalSeconds: number): Target {
  const { live, allow, schema, outbox } = target;
  const connection = typeOf(target.type).connection(target);
  const maxBytes = "max_bytes_billed" in target ? (target.max_bytes_billed ?? null) : null;
  return { name, live, allow, schema, outbox, connection, maxBytes, onAlert: onAlert(target.on_alert, intervalSeconds) };
}

function onAlert(written: ProjectFile["targets"][string]["on_alert"], intervalSeconds: number): OnAlert | null {
  if (written === undefined) return null;
  return {
    command: written.command ?? null,
    webhook: written.webhook ?? null,
    on: written.on,
    silentAfterSeconds: written.silent_after ?? Math.max(HOUR_SECONDS, 3 * intervalSeconds),
    timeoutSeconds: written.timeout,
  };
}

export function buildChannel(name: string, channel: ProjectFile["channels"][string]): Channel {
  const type = channel.type ?? CHANNEL_TYPES.find((known) => known === name);
  if (type === undefined) throw new TypeError(`channel ${name} without a type`);
  return {
    name,
    type,
    ...providedBy(channel),
    from: channel.from ?? null,
    replyTo: channel.reply_to ?? null,
    inFlight: channel.in_flight,
    ratePerSecond: channel.rate,
  };
}

/** Without `max_per_run`, a run may claim what the channels' rates can send until the next run. */
export function buildPolicy({ policy, channels, interval }: ProjectFile): Policy {
  const rates = Object.values(channels).reduce((sum, channel) => sum + channel.rate, 0);
  return {
    timezone: policy.timezone,
    locale: policy.locale,
    quietHours: policy.quiet_hours ?? null,
    caps: policy.caps.map((cap): Cap => ({
      name: capName(cap),
      max: cap.max,
      windowSeconds: cap.per.seconds,
      channel: cap.channel ?? null,
      topic: cap.topic ?? null,
    })),
    spacingSeconds: policy.spacing ?? null,
    exclude: policy.exclude,
    require: policy.require,
    holdout: policy.holdout,
    surge: policy.surge === false ? null : { multiple: policy.surge.multiple, atLeast: policy.surge.at_least },
    maxPerRun: policy.max_per_run ?? Math.floor(rates * interval),
  };
}

/** `2 per 48 hours on sms of topic carts`, in the words of opportune.yml, or the name given there. */
export function capName(cap: ProjectFile["policy"]["caps"][number]): string {
  const channel = cap.channel === undefined ? "" : ` on ${cap.channel}`;
  const topic = cap.topic === undefined ? "" : ` of topic ${cap.topic}`;
  return cap.name ?? `${String(cap.max)} per ${cap.per.words}${channel}${topic}`;
}

export function buildSource(name: string, source: ProjectFile["sources"][string], written: YamlSource): Source {
  const { line } = written.place(["sources", name], "key");
  if (typeof source === "string") return { name, table: source, loadedAt: null, staleAfterSeconds: null, line };
  return { name, table: source.table, loadedAt: source.loaded_at ?? null, staleAfterSeconds: source.stale_after ?? null, line };
}

export function buildLinks(links: ProjectFile["links"]): Links {
  return { unsubscribeUrl: links.unsubscribe_url ?? null, unsubscribeSecret: links.unsubscribe_secret ?? null, utm: links.utm };
}

/** The steps in the order written, with variants filled up from their step; the short form is a step called `message`. */
export function stepsOf(data: SegmentFrontMatter): Step[] {
  const { channel, template } = data;
  const short =
    channel === undefined || template === undefined
      ? []
      : [{ name: "message", after: data.after ?? 0, within: data.within ?? DAY_SECONDS, channel, template, variants: undefined, factor: undefined }];
  return (data.steps ?? short).map((step): Step => {
    const own: Treatment = {
      afterSeconds: step.after,
      withinSeconds: step.within,
      channel: step.channel,
      template: step.template,
    };
    const variants = Object.entries(step.variants ?? {}).map(([name, variant]) => ({
      name,
      weight: variant.weight,
      afterSeconds: variant.after ?? own.afterSeconds,
      withinSeconds: variant.within ?? own.withinSeconds,
      channel: variant.channel ?? own.channel,
      template: variant.template ?? own.template,
    }));
    return { name: step.name, factor: step.factor ?? step.name, ...own, variants };
  });
}

const HOUR_SECONDS = 3_600;

/** The default of `within`: a message that nobody could send for a day is not sent later. */
const DAY_SECONDS = 86_400;

/** What keeps single files from running, by file. */
export type Mistakes = ReadonlyMap<string, readonly Problem[]>;

/** What a SQL file is read beside. */
interface Beside {
  audiences: AudienceFiles;
  mistakes: Mistakes;
}

export function buildSegment(id: string, file: FrontMatterFile, { audiences, mistakes }: Beside, data: SegmentFrontMatter, source: YamlSource): Segment {
  const written = stepsOf(data);
  const steps = [...written].sort((a, b) => a.afterSeconds - b.afterSeconds);
  const goal = typeof data.goal === "string" ? { audience: data.goal } : data.goal;
  return {
    ...sqlFileOf(file, audiences, mistakes),
    id,
    description: data.description ?? null,
    because: data.because ?? null,
    status: data.status,
    signal: data.signal ?? null,
    class: data.class,
    priority: data.priority,
    topic: data.topic ?? null,
    key: data.key ?? null,
    repeat: data.repeat,
    goal: goal === undefined ? null : { audience: goal.audience, withinSeconds: goal.within ?? null },
    exclude: data.exclude,
    require: data.require,
    holdout: data.holdout,
    maxPerRun: data.max_per_run ?? null,
    firstRun: data.first_run,
    everySeconds: data.every ?? null,
    maxBytes: data.max_bytes_billed ?? null,
    steps,
    contract: Object.entries(data.columns).map(([column, rule]) => ({
      column,
      required: rule.required,
      acceptedValues: rule.accepted_values ?? null,
    })),
    keepProperties: data.keep_properties,
    lint: buildSilences(data.lint, source),
    places: placesOf(source, written, steps),
  };
}

export function buildAudience(name: string, file: FrontMatterFile, { audiences, mistakes }: Beside, data: AudienceFrontMatter): Audience {
  return { ...sqlFileOf(file, audiences, mistakes), name, description: data.description ?? null, minRows: data.min_rows };
}

function sqlFileOf({ file, sql, sqlLine, version }: FrontMatterFile, audiences: AudienceFiles, mistakes: Mistakes): SqlFile {
  const own = mistakes.get(file);
  // What it builds on may not be there.
  if (own !== undefined) return { file, sql, buildsOn: [], sqlLine, version, mistakes: own };
  return { file, sql: builtOn(sql, audiences), buildsOn: audiencesIn(sql), sqlLine, version };
}

/** The places of the front matter, with the steps by their index in `Segment.steps` and by their names. */
function placesOf(source: YamlSource, written: readonly Step[], sorted: readonly Step[]): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const [path, place] of source.places()) {
    const [, index, rest = ""] = /^steps\.(\d+)(\..*)?$/.exec(path) ?? [];
    const step = index === undefined ? undefined : written[Number(index)];
    if (step === undefined) {
      places.set(path, place);
      if (["after", "within", "channel", "template"].includes(path) && written[0]?.name === "message") {
        for (const name of ["0", "message"]) places.set(`steps.${name}.${path}`, place);
      }
      continue;
    }
    for (const name of [String(sorted.indexOf(step)), step.name]) places.set(`steps.${name}${rest}`, place);
  }
  return places;
}
