/** What front matter and opportune.yml may silence: the rules of `opportune lint`, each with a reason why it is right to. */
import * as z from "zod";
import type { YamlSource } from "../written/yaml-source.js";

export const LINT_RULES = [
  "no-goal",
  "no-exclusions",
  "no-time-bound",
  "own-clock",
  "no-property",
  "several-actions",
  "generic-subject",
  "exact-time",
  "no-unsubscribe",
  "no-postal-address",
  "unencoded-link",
  "clipped",
  "crowded-audience",
  "first-run-over",
] as const;

export type LintRule = (typeof LINT_RULES)[number];

const RULE = `one of ${LINT_RULES.join(", ")}`;
const REASON = "the reason why it is right here";

/** `lint: {no-goal: the reason}`. */
export const silences = z.partialRecord(z.enum(LINT_RULES, { error: RULE }), z.string({ error: REASON }).trim().min(1, { error: REASON }));

/** Findings that somebody has looked at: why each is right, and where (1-based) that is written. */
export type Silences = ReadonlyMap<LintRule, { reason: string; line: number; column: number }>;

/** Reasons with their places. */
export function buildSilences(lint: Partial<Record<LintRule, string>>, source: YamlSource): Silences {
  return new Map(LINT_RULES.flatMap((rule) => (lint[rule] === undefined ? [] : [[rule, { reason: lint[rule], ...source.place(["lint", rule], "key") }]])));
}
