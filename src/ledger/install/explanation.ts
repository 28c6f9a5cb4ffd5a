/** The sentences of the view `why`, made from the rows of the reasons and the outcomes. */
import { OUTCOMES, type Outcome } from "../../arbitration/reasons/outcomes.js";
import { REASONS } from "../../arbitration/reasons.js";
import { literal } from "../../warehouse/dialect.js";

/** A claim is a decision, whatever its reason. */
const isDecision = ({ event }: Outcome): boolean => event === "claimed";

/** Fills sql/audit/why.sql: SQL of the words for each reason of a decision, and for each event of an outcome. */
export function explanations(): { reasons: { name: string; words: string }[]; outcomes: { event: string; words: string }[] } {
  const events = [...new Set(OUTCOMES.filter((row) => !isDecision(row)).map(({ event }) => event))];
  return {
    reasons: [
      ...REASONS.map(({ name, words, wordsOf }) => {
        const own = Object.entries(wordsOf).map(([rule, of]) => ({ values: [rule], words: of }));
        return { name, words: caseOf("rule", own, words) };
      }),
      ...OUTCOMES.filter(isDecision).flatMap(({ reasons, words }) => reasons.map((name) => ({ name, words: sentence(words) }))),
    ],
    outcomes: events.map((event) => {
      const rows = OUTCOMES.filter((row) => row.event === event).map(({ reasons, words }) => ({ values: reasons, words }));
      return { event, words: caseOf("reason", rows.slice(0, -1), rows.at(-1)?.words ?? "") };
    }),
  };
}

/** `{rule}` in words becomes the column. */
function sentence(words: string): string {
  const parts = words.split(/\{(\w+)\}/);
  return parts
    .map((part, i) => (i % 2 === 1 ? part : literal(part)))
    .filter((part) => part !== "''")
    .join(" || ");
}

function caseOf(column: string, rows: readonly { values: readonly string[]; words: string }[], otherwise: string): string {
  if (rows.length === 0) return sentence(otherwise);
  const whens = rows.flatMap(({ values, words }) => values.map((value) => ` when ${literal(value)} then ${sentence(words)}`));
  return `case ${column}${whens.join("")} else ${sentence(otherwise)} end`;
}
