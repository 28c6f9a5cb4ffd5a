import type { Audience, Segment, Treatment } from "../project/types.js";
import type { Use } from "../render/types.js";
import type { Column, Statement } from "../warehouse/types.js";

/** A column that a template reads, and where. */
export interface TemplateVariable {
  name: string;
  /** Template file relative to the project root. */
  file: string;
  line: number;
  column: number;
  /** Null makes the message impossible; false where the template asks first (`{{#if x}}`, `default`). */
  required: boolean;
}

/** What compiling needs to know of the templates. */
export interface TemplateCatalog {
  /** Content hash, for the ledger. */
  versionOf(template: string): string;
  /** What that is a hash of. */
  sourceOf(template: string): string;
  /** The columns that a step's message reads, its segment's `because` included; the job's own names left out. */
  variablesOf(segment: Segment, step: Pick<Treatment, "template" | "channel">): readonly TemplateVariable[];
  /** What it makes of them; the job's own names too. */
  usesOf(segment: Segment, step: Pick<Treatment, "template" | "channel">): readonly Use[];
}

/** Something that can be wrong with one row for some steps: told apart in staging, weighed in arbitration. */
export interface Check {
  /** How a row's `problems` text names it, e.g. `.3.`. */
  code: string;
  /** The reason's rule: `address`, or the column. */
  field: string;
  /** SQL that is true where the row has the problem. */
  sql: string;
  /** Steps (name and variant) whose messages it makes impossible. */
  steps: readonly { step: string; variant: string }[];
}

export interface CompiledSegment {
  segment: Segment;
  /** Columns that the query returns. */
  columns: readonly Column[];
  checks: readonly Check[];
  /** The query as its author wrote it, which is what reads their tables; with the limit that it has. */
  query: Statement;
  /** The INSERT … SELECT that stages the segment. */
  stage: Statement;
  /** Line of the stage statement on which the user's SQL begins. */
  queryLine: number;
  /** Names of the sources that the query reads. */
  sources: readonly string[];
}

/** Segment → its columns of numbers: `exact` are staged as text; `float` ones may be NaN or infinite, and Postgres' exact ones too. */
export type NumberColumns = ReadonlyMap<string, ReadonlyMap<string, "exact" | "float">>;

export interface CompiledAudience {
  audience: Audience;
  query: Statement;
  stage: Statement;
  queryLine: number;
  sources: readonly string[];
}
