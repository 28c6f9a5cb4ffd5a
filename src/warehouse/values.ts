import type { ColumnKind } from "./kinds.js";

/** A value that a warehouse sends as text: a number where its column holds such and JavaScript has it exactly, else the text. */
export function numberOrText(text: string, kind: ColumnKind): number | string {
  if (kind !== "integer" && kind !== "float") return text;
  const number = Number(text);
  return Number.isFinite(number) && (kind === "float" || Number.isSafeInteger(number)) ? number : text;
}
