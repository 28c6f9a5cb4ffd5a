/** What rendering takes and gives. Nothing here knows a warehouse or a provider. */
import type { Links, MessageClass } from "../project/types.js";

/** A root variable that a template reads from the segment's row. */
export interface Variable {
  /** The column. */
  name: string;
  /** Where it is first used (first *needed*, if it is required): relative file, 1-based line and column. */
  file: string;
  line: number;
  column: number;
  /** False: only asked in conditions, used where a condition guards it, or given a default; null is fine then. */
  required: boolean;
}

/** What a template makes of a column. `any`: nothing that depends on its type. */
export interface Use {
  name: string;
  /** `time`: a day or a time; `clock`: a time of day; `items`: a list to join; `field`: a part of it is named. */
  as: "text" | "time" | "clock" | "number" | "code" | "list" | "items" | "field" | "any";
  /** As the template says it, e.g. `{{#each items}}`. */
  written: string;
  /** One of BUILT_IN_NAMES. */
  given: boolean;
  file: string;
  line: number;
  column: number;
}

/** Names that the job gives to every message; a segment need not return them. */
export const BUILT_IN_NAMES: ReadonlySet<string> = new Set([
  "user_id",
  "key",
  "occurred_at",
  "as_of",
  "because",
  "unsubscribe_url",
  "message_id",
  "segment",
  "step",
  "variant",
  "project",
  "topic",
  "locale",
  "timezone",
]);

/** A short Handlebars text that is not HTML: a segment's `because`. */
export interface CompiledText {
  variables: readonly Variable[];
  uses: readonly Use[];
  /** Throws RenderFault. */
  render(data: Readonly<Record<string, unknown>>, settings: Settings): string;
}

/** What the job itself knows of a message. Times are ISO 8601 in UTC. */
export interface RenderContext {
  message_id: string;
  user_id: string;
  key: string;
  occurred_at: string;
  as_of: string;
  segment: string;
  step: string;
  variant: string;
  project: string;
  topic: string | null;
  /** BCP 47, e.g. `de-CH`, as `canonicalLocale` gives it. */
  locale: string;
  /** IANA zone, one that `isZone` knows. */
  timezone: string;
}

export interface RenderInput {
  /** The row's columns. Decimals come as strings. */
  properties: Readonly<Record<string, unknown>>;
  context: RenderContext;
  /** From `compileText`. */
  because: CompiledText | null;
  class: MessageClass;
  /** The channel's name, for the unsubscribe token. */
  channel: string;
  links: Links;
  /** Columns that are no null in the warehouse: where one that the template needs is null here, it was NaN or infinite. */
  notFinite?: ReadonlyMap<string, unknown> | undefined;
}

export interface RenderedMail {
  subject: string;
  /** `` where the template has none. */
  preheader: string;
  html: string;
  text: string;
  /** `Name <address>` or an address; null: the channel's. */
  from: string | null;
  replyTo: string | null;
  /** List-Unsubscribe and List-Unsubscribe-Post, for marketing mail. */
  headers: Readonly<Record<string, string>>;
}

export interface RenderedText {
  /** The front matter's subject (a push title); null where there is none. */
  subject: string | null;
  /** The body, trimmed; of a JSON template its serialised form. */
  text: string;
  /** The body of a JSON template, its strings rendered one by one; else null. */
  json: Json | null;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export type Rendered<T> = ({ ok: true } & T) | { ok: false; reason: string };

/** What the formatting and link helpers read while one message is rendered. */
export interface Settings {
  locale: string;
  timezone: string;
  /** UTM parameters in order, with their values. */
  utm: readonly (readonly [string, string])[];
  /** Never gets UTM parameters. */
  unsubscribeUrl: string | null;
}

/** A message that can't be rendered; `message` is the reason as the ledger keeps it. Never leaves src/render. */
export class RenderFault extends Error {
  override readonly name = "RenderFault";
}
