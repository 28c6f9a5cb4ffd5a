/**
 * Cases of the decision table joined into one, each with users, segments and audiences of its own: where a run takes
 * seconds, whatever its size, many cases cost little more than one.
 */
import type { DecisionCase } from "./cases.js";

type Run = DecisionCase["runs"][number];
type Matter = Readonly<Record<string, unknown>>;

/** As one case; `of`: how many it was. */
type Pack = DecisionCase & { of: number };

/** Joins those cases that can be told apart in one project and run at the same times; the others stay as they are. */
export function packed(cases: readonly DecisionCase[]): Pack[] {
  const groups = new Map<string, DecisionCase[]>();
  for (const one of cases) {
    const key = packable(one) ? JSON.stringify(one.runs.map(({ at, trial }) => [at, trial])) : `${one.file} ${one.name}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map(join);
}

/** Whether nothing in it is said of the whole project, of an address, or hangs on what its users and segments are called. */
function packable(one: DecisionCase): boolean {
  const ofSegments = JSON.stringify([one.segments, one.runs.map(({ edit }) => edit)]);
  const whole = [one.policy, one.sources, one.reads, one.template_needs, ...one.runs.flatMap(({ policy, loaded_at }) => [policy, loaded_at])];
  return (
    whole.every((written) => Object.keys(written).length === 0) &&
    !/"(?:variants|holdout|template)"/.test(ofSegments) &&
    // Users get other names in a pack: a form that counts, as of a number or a UUID, would be lost.
    one.runs.flatMap(usersOf).every((user) => /^[a-z]+$/.test(user)) &&
    // Its tie is broken by the message ids, and these hang on the names.
    !/message id/.test(`${one.name} ${one.note ?? ""}`) &&
    one.runs.every(
      ({ rows, suppressions, pause, resume, select, backfill, prune, remove }) =>
        select === undefined &&
        prune === undefined &&
        remove.length === 0 &&
        backfill === undefined &&
        suppressions.length === 0 &&
        [...pause, ...resume].every((place) => place.startsWith("segment ")) &&
        Object.values(rows).every((list) => list === "failed" || list.every((row) => !("email" in row) && !("phone" in row) && !("device_token" in row))),
    )
  );
}

function usersOf({ rows, audiences, preferences }: Run): string[] {
  const listed = <T>(lists: Readonly<Record<string, "failed" | readonly T[]>>): T[] =>
    Object.values(lists).flatMap((list) => (list === "failed" ? [] : [...list]));
  return [
    ...listed(rows).flatMap(({ user }) => user ?? []),
    ...listed(audiences).map((member) => (typeof member === "string" ? member : member.user)),
    ...preferences.map(({ user }) => user),
  ];
}

function join(cases: readonly DecisionCase[]): Pack {
  if (cases.length === 1 && cases[0] !== undefined) return { ...cases[0], of: 1 };
  const renamed = cases.map((one, i) => rename(one, `c${String(i)}_`));
  const [first] = renamed;
  if (first === undefined) throw new Error("There is no case to join");
  const merge = <T>(parts: readonly Readonly<Record<string, T>>[]): Record<string, T> => Object.assign({}, ...parts) as Record<string, T>;
  const runs = first.runs.map((run, at): Run => {
    const same = renamed.flatMap(({ runs: all }) => all.slice(at, at + 1));
    return {
      ...run,
      rows: merge(same.map(({ rows }) => rows)),
      audiences: merge(same.map(({ audiences }) => audiences)),
      preferences: same.flatMap(({ preferences }) => preferences),
      pause: same.flatMap(({ pause }) => pause),
      resume: same.flatMap(({ resume }) => resume),
      edit: merge(same.map(({ edit }) => edit)),
      outcome: merge(same.map(({ outcome }) => outcome)),
      expect: same.flatMap(({ expect }) => expect),
    };
  });
  return {
    ...first,
    of: cases.length,
    file: "packed",
    name: `${String(cases.length)} cases at once: ${cases.map(({ name }) => name).join("; ")}`,
    segments: merge(renamed.map(({ segments }) => segments)),
    audiences: merge(renamed.map(({ audiences }) => audiences)),
    runs,
  };
}

function rename(one: DecisionCase, prefix: string): DecisionCase {
  const own = (name: string): string => prefix + name;
  const keys = <T>(from: Readonly<Record<string, T>>, change: (value: T) => T = (value) => value): Record<string, T> =>
    Object.fromEntries(Object.entries(from).map(([name, value]) => [own(name), change(value)]));
  const line = (text: string): string =>
    text.replace(/^([\w-]+)(\/\S+) (\S+)/, (_, segment: string, step: string, user: string) => `${own(segment)}${step} ${own(user)}`);
  const rule = (text: string): string => text.replace(/\(([^)]*)\)/, (all, name: string) => (audiencesOf(one).has(name) ? `(${own(name)})` : all));
  const user = <T extends { user: string | null }>(row: T): T => ({ ...row, user: row.user === null ? null : own(row.user) });
  const place = (text: string): string => text.replace(/^segment /, `segment ${prefix}`);
  return {
    ...one,
    segments: keys(one.segments, (written) => matter(written ?? {}, own)),
    audiences: keys(one.audiences),
    runs: one.runs.map((run) => ({
      ...run,
      rows: keys(run.rows, (list) => (list === "failed" ? list : list.map(user))),
      audiences: keys(run.audiences, (list) =>
        list === "failed" ? list : list.map((member) => (typeof member === "string" ? own(member) : { ...member, user: own(member.user) })),
      ),
      preferences: run.preferences.map(user),
      pause: run.pause.map(place),
      resume: run.resume.map(place),
      edit: keys(run.edit, (written) => matter(written, own)),
      outcome: Object.fromEntries(Object.entries(run.outcome).map(([text, outcome]) => [line(text), outcome])),
      expect: run.expect.map((text) => rule(line(text))),
    })),
  };
}

function audiencesOf(one: DecisionCase): ReadonlySet<string> {
  return new Set([...Object.keys(one.audiences), ...one.runs.flatMap(({ audiences }) => Object.keys(audiences))]);
}

/** Front matter whose audiences are renamed. */
function matter(written: Matter, own: (name: string) => string): Matter {
  const goal = written["goal"] as { audience: string } | undefined;
  const lists = ["exclude", "require"].flatMap((key) => (key in written ? [[key, (written[key] as string[]).map(own)]] : []));
  const renamed = Object.fromEntries(lists) as Matter;
  return { ...written, ...(goal === undefined ? {} : { goal: { ...goal, audience: own(goal.audience) } }), ...renamed };
}
