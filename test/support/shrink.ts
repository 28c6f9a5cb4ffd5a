/** Makes a failing story small enough to read: fewer runs, segments and users, as long as it still fails. */
import type { Staged, WorldRun } from "./world.js";

type Fails = (runs: readonly WorldRun[]) => Promise<boolean>;

/**
 * Drops earlier runs, then segments, then users, one after another, for at most `attempts` tries.
 * Runs after the first failing one are expected to be gone already.
 */
export async function shrink(runs: readonly WorldRun[], fails: Fails, attempts: number): Promise<readonly WorldRun[]> {
  let small = runs;
  let left = attempts;
  const attempt = async (smaller: readonly WorldRun[]): Promise<void> => {
    if (left <= 0 || smaller.length === 0) return;
    left -= 1;
    if (await fails(smaller)) small = smaller;
  };
  for (const id of segmentIds(runs)) await attempt(small.map((run) => withoutSegment(run, id)));
  const users = userIds(runs);
  for (let size = Math.ceil(users.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < users.length; from += size) {
      const gone = new Set(users.slice(from, from + size));
      if (userIds(small).some((user) => gone.has(user))) await attempt(small.map((run) => withoutUsers(run, gone)));
    }
  }
  for (const run of runs) await attempt(small.filter((each) => each.asOf !== run.asOf));
  return small;
}

function segmentIds(runs: readonly WorldRun[]): string[] {
  return [...new Set(runs.flatMap((run) => [...run.project.segments.keys()]))];
}

function userIds(runs: readonly WorldRun[]): string[] {
  const found = runs.flatMap((run) => Object.values(run.rows).flatMap((rows) => (rows === "failed" ? [] : rows)));
  return [...new Set(found.flatMap((row) => row.user_id ?? []))];
}

function withoutSegment(run: WorldRun, id: string): WorldRun {
  const segments = new Map([...run.project.segments].filter(([each]) => each !== id));
  const rows = Object.fromEntries(Object.entries(run.rows).filter(([each]) => each !== id));
  return { ...run, project: { ...run.project, segments }, rows };
}

function withoutUsers(run: WorldRun, gone: ReadonlySet<string>): WorldRun {
  const keep = <T extends { user_id: string | null }>(rows: Staged<T>): Staged<T> =>
    rows === "failed" ? rows : rows.filter((row) => row.user_id === null || !gone.has(row.user_id));
  const rows = Object.fromEntries(Object.entries(run.rows).map(([id, each]) => [id, keep(each)]));
  const audiences = Object.fromEntries(Object.entries(run.audiences).map(([name, each]) => [name, keep(each)]));
  return { ...run, rows, audiences, preferences: (run.preferences ?? []).filter((each) => !gone.has(each.user_id)) };
}
