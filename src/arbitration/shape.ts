/** By what a run tells that a segment was edited, or that another one was renamed to it. */
import { createHash } from "node:crypto";
import { sqlTokens } from "../project/sql-tokens.js";
import { treatments } from "../project/treatments.js";
import type { Segment } from "../project/types.js";

/** Two hashes of 12 hex digits, joined by a hyphen: of the query, and of key, repeat and steps. */
export function shapeOf(segment: Segment): string {
  const steps = treatments(segment).map(({ step, variant, afterSeconds, withinSeconds }) => [step, variant, afterSeconds, withinSeconds]);
  return `${hash(words(segment.sql))}-${hash([segment.key, segment.repeat, steps])}`;
}

/** Of a shape, the part that the query alone makes. */
export function queryOf(shape: string): string {
  return shape.split("-")[0] ?? shape;
}

/** The query's words and signs: comments, layout, capitals and the semicolon at its end make no other query. */
function words(sql: string): string[] {
  const found: string[] = [];
  let end = 0;
  const plain = (text: string): void => {
    found.push(...(text.toLowerCase().match(/[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? []));
  };
  for (const { from, to, comment } of sqlTokens(sql)) {
    plain(sql.slice(end, from));
    if (!comment) found.push(sql.slice(from, to));
    end = to;
  }
  plain(sql.slice(end));
  return found.at(-1) === ";" ? found.slice(0, -1) : found;
}

function hash(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 12);
}
