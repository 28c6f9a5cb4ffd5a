/** By what a run tells that a segment was edited, or that another one was renamed to it. */
import { createHash } from "node:crypto";
import { sqlTokens } from "../project/written/sql-tokens.js";
import { treatments } from "../project/build/treatments.js";
import type { Segment } from "../project/types.js";

/** Two hashes of 12 hex digits, joined by a hyphen: of the query, and of key, repeat and steps. */
export function shapeOf(segment: Segment): string {
  return `${hash(words(segment.sql))}-${hash([segment.key, segment.repeat, stepsOf(segment)])}`;
}

function stepsOf(segment: Segment): unknown[] {
  return treatments(segment).map(({ step, variant, factor, afterSeconds, withinSeconds }) => {
    // A factor of the step's own name is none that anybody wrote: the shapes that ledgers hold already stay as they are.
    return [step, variant, afterSeconds, withinSeconds, ...(factor === step ? [] : [factor])];
  });
}

/** Whether a shape that the ledger holds is the segment's as it stands. */
export function isShapeOf(segment: Segment, shape: string): boolean {
  return shape === (isOld(shape) ? oldShapeOf(segment) : shapeOf(segment));
}

/** Whether the segment has the query of a shape that the ledger holds. An old shape tells that where nothing else was edited. */
export function hasQueryOf(segment: Segment, shape: string): boolean {
  return isOld(shape) ? shape === oldShapeOf(segment) : shape.split("-")[0] === shapeOf(segment).split("-")[0];
}

/** 0.1.0 wrote one hash of everything, the query as it stood. */
function isOld(shape: string): boolean {
  return !shape.includes("-");
}

function oldShapeOf(segment: Segment): string {
  return hash([segment.sql.trim(), segment.key, segment.repeat, stepsOf(segment)]);
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
