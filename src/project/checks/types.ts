import type { ChannelKind } from "../../channels/types.js";
import type { LintRule, Silences } from "../schema/lint-rules.js";
import type { Segment } from "../types.js";
import type { Loc } from "../../render/language/ast.js";
import type { Template } from "../../render/templates/types.js";

/** A template with the segments that send it. */
export interface Use {
  template: Template;
  segments: readonly Segment[];
  /** What its channels make of it. */
  contents: ReadonlySet<ChannelKind["content"]>;
  /** Whether one of the segments is marketing. */
  marketing: boolean;
}

/** What a rule says of one place. */
export interface Finding {
  /** `needless-silence`: a `lint:` entry that silences nothing. */
  rule: LintRule | "needless-silence";
  /** Relative to the project; lines and columns are 1-based. */
  file: string;
  line: number;
  column: number;
  message: string;
  /** Ids of the segments that it is about. */
  segments: readonly string[];
}

/** A finding of a rule, with the silences of the file it belongs to: a partial's belong to the template that uses it. */
export interface Found extends Finding {
  rule: LintRule;
  silences: Silences;
}

export interface LintResult {
  /** In the order of files, lines and columns. */
  findings: readonly Finding[];
  silenced: readonly (Finding & { reason: string })[];
}

export type Report = (rule: LintRule, message: string, loc?: Loc) => Found;
