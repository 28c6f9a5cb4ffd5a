/**
 * What the user wrote, after validation: the shapes that the rest of the job reads.
 * All durations are whole seconds; all times are UTC instants unless named local.
 */

import type { ChannelType } from "../channels/registry.js";
import type { Problem } from "../core/errors.js";
import type { ProvidedBy } from "../delivery/providers/registry.js";
import type { Silences } from "./schema/lint-rules.js";
import type { Connection } from "./targets/targets.js";

export type { ChannelType };

/** A loaded and validated project. */
export interface Project {
  /** Absolute path of the folder that holds opportune.yml. */
  root: string;
  name: string;
  /** The target chosen by --target, else the configured default. */
  target: Target;
  /** Any target of opportune.yml is live, whether its variables are set here or not. */
  anyLive: boolean;
  channels: ReadonlyMap<string, Channel>;
  policy: Policy;
  sources: ReadonlyMap<string, Source>;
  /** Values for `{{var "x"}}` in SQL; always bound, never pasted. */
  vars: Readonly<Record<string, Var>>;
  /** How often the job is meant to run. */
  intervalSeconds: number;
  /** Settings that have no effect, each at its place. */
  idle: readonly Problem[];
  links: Links;
  /** For the whole project. */
  lint: Silences;
  /** By id, in id order. */
  segments: ReadonlyMap<string, Segment>;
  audiences: ReadonlyMap<string, Audience>;
}

/** Where the warehouse is. `live: false` delivers to the outbox and the allow-list only. */
export interface Target {
  name: string;
  live: boolean;
  /** Addresses (`ada@example.com`) or domains (`@example.com`) that a non-live target may really write to. */
  allow: readonly string[];
  /** The schema that holds the ledger. */
  schema: string;
  /** Folder, relative to the project root, that takes messages which are not really sent. */
  outbox: string;
  /** Most bytes that the query of a segment or audience may read; null: no limit, or the warehouse doesn't charge by them. */
  maxBytes: number | null;
  connection: Connection;
  onAlert: OnAlert | null;
}

/** `failed`: something went wrong; `held`: a guard holds messages back; `silent`: all well, it seems, but nothing comes. */
export type AlertKind = "failed" | "held" | "silent";

/** Whom to tell: `command`, `webhook` or both. */
export interface OnAlert {
  /** Program and arguments. */
  command: readonly string[] | null;
  /** URL and headers are never logged. */
  webhook: { url: string; headers: Readonly<Record<string, string>> } | null;
  on: readonly AlertKind[];
  /** Silent once no run has ended well for so long. */
  silentAfterSeconds: number;
  /** Of the command or the request. */
  timeoutSeconds: number;
}

/** A channel, with its provider and the settings that are this provider's own. */
export type Channel = ProvidedBy & {
  name: string;
  type: ChannelType;
  /** `Name <address>` or an address; a template's front matter may override it. */
  from: string | null;
  replyTo: string | null;
  /** Requests under way at once. */
  inFlight: number;
  /** Most requests started per second. */
  ratePerSecond: number;
};

export interface Policy {
  /** IANA zone for users without a known one. */
  timezone: string;
  /** BCP 47, as `canonicalLocale` gives it. */
  locale: string;
  /** Local wall-clock times `HH:MM`: shut at `from`, open again at `to`; may span midnight. */
  quietHours: { from: string; to: string } | null;
  /** In the order written: the first full one is named in the ledger. */
  caps: readonly Cap[];
  spacingSeconds: number | null;
  exclude: readonly string[];
  require: readonly string[];
  /** Percent of users, 0 to 100, kept silent to measure lift. */
  holdout: number;
  maxPerRun: number;
  /** A segment that offers more than `multiple` times its usual number, and more than `atLeast`, waits for approval; null: never. */
  surge: { multiple: number; atLeast: number } | null;
}

/** At most `max` marketing claims in the `windowSeconds` before a run, optionally of one channel or topic. */
export interface Cap {
  /** As reported: the given name, else e.g. `2 per 48 hours`. */
  name: string;
  max: number;
  windowSeconds: number;
  channel: string | null;
  topic: string | null;
}

export interface Source {
  name: string;
  /** As written into the SQL, e.g. `shop.carts`. */
  table: string;
  /** Column or SQL expression over the table: when its newest data arrived. */
  loadedAt: string | null;
  staleAfterSeconds: number | null;
  /** Where it stands in opportune.yml, 1-based. */
  line: number;
}

export interface Links {
  /** Base URL of the one-click unsubscribe endpoint; the token is appended as `?token=`. */
  unsubscribeUrl: string | null;
  /** Signs unsubscribe tokens. Never logged. */
  unsubscribeSecret: string | null;
  /** Added to every http(s) link of a mail, values are Handlebars over `segment`, `step`, `variant`; empty: nothing is added. */
  utm: Readonly<Record<string, string>>;
}

/** A SQL file and where its pieces stand, so that errors name the user's own line. */
export interface SqlFile {
  /** Relative to the project root. */
  file: string;
  /** The Handlebars SQL after the front matter, with the audiences that it builds on written out. */
  sql: string;
  /** Names of the audiences that the query builds on itself, in name order. */
  buildsOn: readonly string[];
  /** Line of the file (1-based) on which `sql` begins. */
  sqlLine: number;
  /** SHA-256 hex of the whole file, first 12 digits. */
  version: string;
  /** Names in it that point nowhere, and braces that can't be read: what keeps this file alone from running. */
  mistakes?: readonly Problem[];
}

export type SegmentStatus = "draft" | "live" | "paused";
export type Signal = "recency" | "frequency" | "intent" | "inactivity";
export type MessageClass = "marketing" | "transactional";

export type Repeat = { kind: "never" } | { kind: "each_occurrence" } | { kind: "every"; seconds: number };

export interface Segment extends SqlFile {
  id: string;
  description: string | null;
  /** The footer's answer to "why am I getting this"; Handlebars. */
  because: string | null;
  status: SegmentStatus;
  signal: Signal | null;
  class: MessageClass;
  /** Higher goes first. */
  priority: number;
  topic: string | null;
  /** Column that tells journeys of one user apart, e.g. `cart_id`. */
  key: string | null;
  repeat: Repeat;
  goal: { audience: string; withinSeconds: number | null } | null;
  exclude: readonly string[];
  require: readonly string[];
  holdout: number;
  maxPerRun: number | null;
  /** `send`: those already qualified at the first run are messaged too. */
  firstRun: "baseline" | "send";
  /** Least time between two runs that ask it, counted in whole intervals; null: every tick. */
  everySeconds: number | null;
  /** Most bytes that its query may read, where the warehouse can say; the target's holds if it is smaller. */
  maxBytes: number | null;
  /** In order of `afterSeconds` of the step itself. */
  steps: readonly Step[];
  contract: readonly ColumnRule[];
  /** Properties whose values the ledger keeps on claims. */
  keepProperties: readonly string[];
  lint: Silences;
  /**
   * Line and column, in the file, of the front matter's values, for errors found later: `topic`, `exclude.0`. Steps stand
   * under their index in `steps` and under their name: `steps.0.template`, `steps.nudge.template`.
   */
  places: ReadonlyMap<string, { line: number; column: number }>;
}

/** What may differ between the versions of a step under test. */
export interface Treatment {
  afterSeconds: number;
  withinSeconds: number;
  channel: string;
  /** Name of the template: its path under templates/ without `.hbs`. */
  template: string;
}

export interface Step extends Treatment {
  name: string;
  /** By what its variants are drawn; steps of one factor have the same variants. By default its name. */
  factor: string;
  /** Empty, or two and more; weights are relative. Fields not named are the step's own. */
  variants: readonly (Treatment & { name: string; weight: number })[];
}

/** A line of a segment's column contract. */
export interface ColumnRule {
  column: string;
  required: boolean;
  acceptedValues: readonly (string | number | boolean)[] | null;
}

export interface Audience extends SqlFile {
  name: string;
  description: string | null;
  /** Fewer rows than this counts as failed. */
  minRows: number;
}

/** A value of `vars`; a number as its digits, with at most one point and a minus before them. */
export type VarValue = string | boolean | { number: string };
/** One value, or several of one kind for `in`. */
export type Var = VarValue | readonly VarValue[];
