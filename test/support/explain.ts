/** Tells a failing story so that it can be read: the seed, the smallest form found, the rows both ways and their world. */
import type { Model } from "../model/model.js";
import type { Comparison } from "./compare.js";
import { asText, compareStory } from "./compare.js";
import { shrink } from "./shrink.js";
import type { DecidedRow, Decider, WorldRun } from "./world.js";

/** Tries to drop runs, segments and users at most so often: each try decides the story again. */
const ATTEMPTS = 80;
/** Rows shown of each side. */
const SHOWN = 12;

export async function explain(seed: number, runs: readonly WorldRun[], first: Comparison, deciders: () => [Model, Promise<Decider>]): Promise<string> {
  const upTo = runs.slice(0, (first.difference?.run ?? runs.length - 1) + 1);
  const compare = async (some: readonly WorldRun[]): Promise<Comparison> => {
    const [model, other] = deciders();
    return compareStory(some, model, await other);
  };
  const fails = (result: Comparison): boolean => (first.difference === null ? result.broken.length > 0 : result.difference !== null);
  const small = await shrink(upTo, async (some) => fails(await compare(some)), ATTEMPTS);
  const result = await compare(small);
  return [`Story ${seed} (repeat it with ORACLE_SEED=${seed})`, ...told(small, result)].join("\n");
}

function told(runs: readonly WorldRun[], { difference, broken, rows }: Comparison): string[] {
  if (difference === null) return broken.slice(0, SHOWN);
  const differing = [...difference.onlyModel, ...difference.onlyOther];
  const concerned = new Set(differing.slice(0, 2 * SHOWN).map((row) => row.user_id));
  const last = runs[difference.run];
  return [
    `differs in run ${difference.run + 1} of ${runs.length}, as of ${last?.asOf ?? "?"}`,
    ...listed("only the model has", difference.onlyModel),
    ...listed("only the SQL has", difference.onlyOther),
    ...runs.slice(0, difference.run + 1).flatMap((run) => worldOf(run, concerned)),
    "the SQL's ledger of these users (before and in this run):",
    ...rows.filter((row) => concerned.has(row.user_id)).map((row) => `  ${asText(row)}`),
    `policy ${JSON.stringify(last?.project.policy)}`,
    ...[...(last?.project.segments.values() ?? [])].map((segment) => `segment ${JSON.stringify(segment)}`),
    ...[...(last?.project.audiences.values() ?? [])].map(({ name, minRows }) => `audience ${name} min_rows ${minRows}`),
    ...[...(last?.project.sources.values() ?? [])].map((source) => `source ${JSON.stringify(source)}`),
  ];
}

function listed(title: string, rows: readonly DecidedRow[]): string[] {
  return [`${title} (${rows.length}):`, ...rows.slice(0, SHOWN).map((row) => `  ${asText(row)}`)];
}

function worldOf(run: WorldRun, users: ReadonlySet<string>): string[] {
  const mine = (each: { user_id: string | null }): boolean => each.user_id !== null && users.has(each.user_id);
  const shown = (name: string, rows: readonly { user_id: string | null }[] | "failed"): string[] => {
    const few = rows === "failed" ? rows : rows.filter(mine);
    return few.length === 0 ? [] : [`  ${name}: ${JSON.stringify(few)}`];
  };
  const { suppressions = [], preferences = [], pauses = [], backfill = [], select = null, loadedAt = {}, reads = {} } = run;
  return [
    `${run.trial === true ? "trial" : "run"} as of ${run.asOf} ${JSON.stringify({ backfill, select, pauses, suppressions, loadedAt, reads })}`,
    ...[...run.project.segments.values()].map(({ id, sql, status }) => `  ${id} is ${status}: ${sql}`),
    ...Object.entries(run.rows).flatMap(([id, rows]) => shown(id, rows)),
    ...Object.entries(run.audiences).flatMap(([name, rows]) => shown(name, rows)),
    ...shown("preferences", preferences),
  ];
}
