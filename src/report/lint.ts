import { formatProblem } from "../core/errors.js";
import type { Finding, LintResult } from "../project/checks/types.js";
import type { LintRule } from "../project/schema/lint-rules.js";
import { PROJECT_FILE } from "../project/written/project-file.js";
import type { Paint } from "./paint.js";
import { counted } from "./tables.js";

/** What each rule is about, in words. */
export type RuleWords = Readonly<Record<LintRule, { why: string; instead: string }>>;

/** Findings for the terminal: place and fault in one line, below it why, what to do, and how to silence it. */
export function lintLines(result: LintResult, rules: RuleWords, segments: number, paint: Paint): string[] {
  const { findings, silenced } = result;
  const aside = silenced.length === 0 ? "" : ` ${counted(silenced.length, "finding")} silenced.`;
  const sum = findings.length === 0 ? paint.green(`Nothing found in ${counted(segments, "segment")}.`) : paint.red(`${counted(findings.length, "finding")}.`);
  return [...findings.flatMap((finding) => [...findingLines(finding, rules, paint), ""]), `${sum}${aside}`];
}

function findingLines(finding: Finding, rules: RuleWords, paint: Paint): string[] {
  const { file, line, column, rule, message } = finding;
  const first = formatProblem({ code: rule, file, line, column, message: `${paint.bold(rule)}: ${message}` });
  const { why, instead, silence } = wordsOf(finding, rules);
  return [first, ...[why, instead, silence].filter((text) => text !== null).map((text) => `    ${text}`)];
}

/** `lint --output json`. */
export function lintDocument({ findings, silenced }: LintResult, rules: RuleWords): unknown {
  return {
    schema_version: 1,
    findings: findings.map((finding) => ({ ...finding, ...wordsOf(finding, rules) })),
    silenced,
  };
}

function wordsOf({ rule, file }: Finding, rules: RuleWords): { why: string; instead: string; silence: string | null } {
  if (rule === "needless-silence") {
    return { why: "A silence that outlives its reason hides the next fault.", instead: "Remove it.", silence: null };
  }
  const where =
    file === PROJECT_FILE
      ? file
      : `the front matter${file.startsWith("templates/partials/") || file.startsWith("templates/layouts/") ? " of each template that uses it" : ""}`;
  const everywhere = file === PROJECT_FILE ? "" : `, or into ${PROJECT_FILE} for the whole project`;
  return { ...pick(rules[rule]), silence: `If it is right here, write \`lint: {${rule}: "the reason"}\` into ${where}${everywhere}.` };
}

function pick({ why, instead }: { why: string; instead: string }): { why: string; instead: string } {
  return { why, instead };
}
