/** From validated files to the shapes that the rest of the job reads. */
import { CHANNEL_TYPES } from "../../channels/registry.js";
import type { Problem } from "../../core/errors.js";
import { isLoopback } from "../../core/loopback.js";
import { providedBy } from "../../delivery/providers/registry.js";
import { audiencesIn, builtOn, type AudienceFiles } from "../written/build-on.js";
import type { FrontMatterFile } from "../written/files.js";
import { buildSilences } from "../schema/lint-rules.js";
import { postgresUrl, type PostgresUrl } from "./postgres-url.js";
import type { ProjectFile } from "../schema/project-schema.js";
import type { AudienceFrontMatter, SegmentFrontMatter } from "../schema/segment-schema.js";
import type {
  Audience,
  BigQueryConnection,
  Cap,
  Channel,
  DuckDbConnection,
  Links,
  OnAlert,
  Policy,
  PostgresConnection,
  Segment,
  SnowflakeConnection,
  Source,
  SqlFile,
  Step,
  Target,
  Treatment,
} from "../types.js";
import type { Place, YamlSource } from "../written/yaml-source.js";

export function buildTarget(name: string, target: ProjectFile["targets"][string], intervalSeconds: number): Target {
  const { live, allow, schema, outbox } = target;
  const connection = connectionOf(target);
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

type TargetOf<T extends Target["connection"]["type"]> = Extract<ProjectFile["targets"][string], { type: T }>;

function duckDb(target: TargetOf<"duckdb">): DuckDbConnection {
  return {
    type: "duckdb",
    path: target.path,
    waitForLockSeconds: target.wait_for_lock,
    memoryLimit: target.memory_limit ?? null,
    threads: target.threads ?? null,
  };
}

function postgres(target: TargetOf<"postgres">): PostgresConnection {
  const read = target.url === undefined ? null : postgresUrl(target.url);
  if (read !== null && "problem" in read) throw new TypeError(`the URL of a target ${read.problem}`);
  const url = read;
  const host = target.host ?? url?.host ?? "localhost";
  return {
    type: "postgres",
    host,
    port: target.port ?? url?.port ?? 5432,
    user: target.user ?? url?.user ?? null,
    password: target.password ?? url?.password ?? null,
    database: target.database ?? url?.database ?? null,
    ssl: sslOf(target.ssl ?? url?.ssl ?? !isHere(host)),
    options: url?.options ?? null,
    channelBinding: url?.channelBinding ?? false,
    statementTimeoutSeconds: target.statement_timeout,
    searchPath: target.search_path.length > 0 ? target.search_path : [url?.schema ?? []].flat(),
    applicationName: target.application_name,
  };
}

function connectionOf(target: ProjectFile["targets"][string]): Target["connection"] {
  switch (target.type) {
    case "duckdb":
      return duckDb(target);
    case "postgres":
      return postgres(target);
    case "snowflake":
      return snowflake(target);
    case "bigquery":
      return bigQuery(target);
  }
}

function bigQuery(target: TargetOf<"bigquery">): BigQueryConnection {
  return {
    type: "bigquery",
    project: target.project,
    billingProject: target.billing_project ?? null,
    location: target.location ?? null,
    dataset: target.dataset ?? null,
    signIn: bigQuerySignIn(target),
    impersonate: target.impersonate ?? null,
    statementTimeoutSeconds: target.statement_timeout,
    url: target.url ?? null,
  };
}

/** At most one way is named: see checkBigQuery in rules.ts. */
function bigQuerySignIn(target: TargetOf<"bigquery">): BigQueryConnection["signIn"] {
  if (target.credentials !== undefined) return { kind: "key", key: target.credentials };
  return target.credentials_file === undefined ? { kind: "default" } : { kind: "file", file: target.credentials_file };
}

function snowflake(target: TargetOf<"snowflake">): SnowflakeConnection {
  return {
    type: "snowflake",
    account: target.account,
    user: target.user ?? null,
    signIn: snowflakeSignIn(target),
    role: target.role ?? null,
    warehouse: target.warehouse ?? null,
    database: target.database ?? null,
    sessionSchema: target.session_schema ?? null,
    queryTag: target.query_tag,
    statementTimeoutSeconds: target.statement_timeout,
    url: target.url ?? null,
  };
}

/** Exactly one way is named: see checkSnowflake in rules.ts. */
function snowflakeSignIn(target: TargetOf<"snowflake">): SnowflakeConnection["signIn"] {
  if (target.authenticator === "externalbrowser") return { kind: "browser" };
  if (target.token !== undefined) return { kind: "oauth", token: target.token };
  if (target.password !== undefined) return { kind: "password", password: target.password };
  return { kind: "key", key: target.private_key ?? null, file: target.private_key_path ?? null, passphrase: target.private_key_passphrase ?? null };
}

/** A socket or a loopback address: nobody listens in between. */
function isHere(host: string): boolean {
  return host.startsWith("/") || isLoopback(host);
}

function sslOf(written: NonNullable<TargetOf<"postgres">["ssl"]> | NonNullable<PostgresUrl["ssl"]>): PostgresConnection["ssl"] {
  if (written === false) return null;
  if (written === true) return { ca: null, rejectUnauthorized: true };
  if ("rejectUnauthorized" in written) return written;
  return { ca: written.ca ?? null, rejectUnauthorized: written.reject_unauthorized };
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
      : [{ name: "message", after: data.after ?? 0, within: data.within ?? DAY_SECONDS, channel, template, variants: undefined }];
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
    return { name: step.name, ...own, variants };
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
