import type { Labels } from "../types.js";

/**
 * Labels of a job, by which its cost is attributed. Values may have 63 lower-case letters, digits, dashes and underscores:
 * https://cloud.google.com/bigquery/docs/labels-intro#requirements.
 */
export function jobLabels({ project, run }: Labels, segment: string | null): Record<string, string> {
  const labels = { app: "opportune", project, run, segment };
  return Object.fromEntries(Object.entries(labels).flatMap(([key, value]) => (value === null ? [] : [[key, fitted(value)]])));
}

function fitted(value: string): string {
  return value
    .toLowerCase()
    .replaceAll(/[^\p{Ll}\p{Lo}\p{N}_-]/gu, "-")
    .slice(0, 63);
}
