/** Runs one story on two deciders and holds what they append against each other and against the invariants. */
import type { Model } from "../model/model.js";
import { Invariants } from "./invariants.js";
import type { DecidedRow, Decider, WorldRun } from "./world.js";

/** The first run in which the two disagree. */
export interface Difference {
  /** Index of the run in the story. */
  run: number;
  onlyModel: DecidedRow[];
  onlyOther: DecidedRow[];
}

export interface Comparison {
  difference: Difference | null;
  /** Promises that the other decider's ledger breaks, one sentence each. */
  broken: string[];
  /** What the other decider appended. */
  rows: DecidedRow[];
  /** How many candidates the model decided. */
  candidates: number;
}

/** Stops at the first difference; closes both deciders. */
export async function compareStory(runs: readonly WorldRun[], model: Model, other: Decider): Promise<Comparison> {
  const invariants = new Invariants();
  const rows: DecidedRow[] = [];
  let difference: Difference | null = null;
  try {
    for (const [index, run] of runs.entries()) {
      const expected = await model.run(run);
      const actual = await other.run(run);
      invariants.after(run, actual);
      rows.push(...actual);
      difference = differenceIn(index, expected, actual);
      if (difference !== null || invariants.broken.length > 0) break;
    }
    return { difference, broken: invariants.broken, rows, candidates: model.candidates() };
  } finally {
    await model.close();
    await other.close();
  }
}

/** The rows of one run (its index) that only one side has; null where both appended the same. */
export function differenceIn(run: number, expected: readonly DecidedRow[], actual: readonly DecidedRow[]): Difference | null {
  const onlyModel = without(expected, actual);
  const onlyOther = without(actual, expected);
  return onlyModel.length + onlyOther.length === 0 ? null : { run, onlyModel, onlyOther };
}

/** Rows of the first list that the second lacks; equal rows are matched one to one. */
function without(rows: readonly DecidedRow[], others: readonly DecidedRow[]): DecidedRow[] {
  const left = new Map<string, number>();
  for (const row of others) left.set(asText(row), (left.get(asText(row)) ?? 0) + 1);
  return rows.filter((row) => {
    const count = left.get(asText(row)) ?? 0;
    left.set(asText(row), count - 1);
    return count <= 0;
  });
}

/** Every field that decisions fix, in one order. */
export function asText(row: DecidedRow): string {
  const { segment, step, user_id, key, occurred_at, event, reason, rule, due_at, variant, factor, channel, send_by } = row;
  return [segment, step, user_id, key, occurred_at, event, reason, rule, due_at, variant, factor, channel, send_by].join(" | ");
}
