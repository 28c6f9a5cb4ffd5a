/** Who notices a mutant: the cases of the decision table, then random stories held against the model. */
import path from "node:path";
import { createModel } from "../model/model.js";
import { compareRows, createCaseWorlds, readCases, type CaseStep, type DecisionCase } from "../support/cases.js";
import { compareStory } from "../support/compare.js";
import { packed } from "../support/packed.js";
import { createSqlDecider, type OpenEmpty } from "../support/sql-decider.js";
import { drawStory } from "../support/stories.js";
import { TEST_SALT, type WorldRun } from "../support/world.js";
import { Situations } from "./situations.js";

/** `no statement`: the mutant is in what other warehouses get. */
export interface Verdict {
  by: "case" | "story" | "error" | "no statement" | "nobody";
  why: string;
}

interface Played {
  one: DecisionCase;
  steps: readonly CaseStep[];
}

interface Story {
  seed: number;
  runs: readonly WorldRun[];
}

/** What the model holds against the SQL beside event, reason and rule. */
const COMPARED =
  ", occurred_at, due_at, send_by, case when event in ('claimed', 'held_out') then variant end, case when event in ('claimed', 'held_out') then channel end";
/** Columns that later runs, or the decisions of others, hang on. */
const REMEMBERED = [
  "message_id",
  "step",
  "occurred_at",
  "counts_from",
  "due_at",
  "expires_at",
  "send_by",
  "settles",
  "counts",
  "address",
  "channel",
  "topic",
  "class",
  "variant",
  "changed",
];
/** So many cases are played in full where no decision of theirs differs at once. */
const IN_FULL = 4;

export class Judges {
  /** In which columns the cases' decisions differ, last. */
  #columns: readonly string[] = [];

  private constructor(
    private readonly cases: Situations<Played>,
    private readonly stories: Situations<Story>,
  ) {}

  /** Plays every case of the files whose name begins so, and so many stories, by the SQL as it is. Throws if that fails already. */
  static async open(files: string, stories: number): Promise<Judges> {
    const cases = await Situations.open<Played>(TEST_SALT);
    const worlds = createCaseWorlds();
    let current: Played | undefined;
    const openCases = opener(cases, () => current);
    const table = readCases(path.join(import.meta.dirname, "../decisions")).filter(({ file }) => file.startsWith(files));
    for (const one of packed(table)) {
      current = { one, steps: worlds.stepsOf(one) };
      const failed = await playCase(current, openCases);
      if (failed !== null) throw new Error(`"${one.name}" fails before any mutant: ${failed}`);
    }
    worlds.dispose();
    const told = await Situations.open<Story>(TEST_SALT, COMPARED);
    let story: Story | undefined;
    const openStories = opener(told, () => story);
    for (let seed = 1; seed <= stories; seed += 1) {
      story = { seed, runs: drawStory(seed).runs };
      const failed = await playStory(story, openStories);
      if (failed !== null) throw new Error(`Story ${String(seed)} fails before any mutant: ${failed}`);
    }
    const packs = [await cases.pack(), await told.pack()];
    console.log(
      `${String(cases.all.length)} runs of cases in ${String(packs[0])} statements, ${String(told.all.length)} runs of stories in ${String(packs[1])}.`,
    );
    return new Judges(cases, told);
  }

  async close(): Promise<void> {
    await this.cases.close();
    await this.stories.close();
  }

  /** Judges what is injected now. */
  async ask(): Promise<Verdict> {
    try {
      if (this.cases.isSame()) return { by: "no statement", why: "DuckDB gets the same statement" };
      return (await this.askCases()) ?? (await this.askStories());
    } catch (error) {
      return { by: "error", why: error instanceof Error ? error.message : String(error) };
    }
  }

  private async askCases(): Promise<Verdict | null> {
    const { shown, hidden, columns } = await this.cases.ask();
    const [first] = shown;
    if (first !== undefined) return { by: "case", why: nameOf(this.cases.all[first]?.of) };
    this.#columns = columns;
    const affected = [...new Set(hidden.flatMap((id) => this.cases.all[id]?.of ?? []))];
    if (!columns.some((column) => REMEMBERED.includes(column))) return null;
    for (const played of affected.slice(0, IN_FULL)) {
      const failed = await playCase(played);
      if (failed !== null) return { by: "case", why: nameOf(played) };
    }
    return null;
  }

  private async askStories(): Promise<Verdict> {
    const { shown, hidden, columns } = await this.stories.ask();
    const [first] = shown;
    if (first !== undefined) return { by: "story", why: `story ${String(this.stories.all[first]?.of.seed)}` };
    const all = [...new Set([...this.#columns, ...columns])];
    const affected = columns.some((column) => REMEMBERED.includes(column)) ? this.stories.all[hidden[0] ?? -1]?.of : undefined;
    if (affected !== undefined && (await playStory(affected)) !== null) return { by: "story", why: `story ${String(affected.seed)}, later` };
    return { by: "nobody", why: all.length === 0 ? "no decision differs in any case or story" : `differs in ${all.join(", ")} alone` };
  }
}

function opener<Of>(situations: Situations<Of>, current: () => Of | undefined): OpenEmpty {
  const warehouse = situations.watch(() => {
    const of = current();
    if (of === undefined) throw new Error("Nothing is being played");
    return of;
  });
  return () => Promise.resolve(warehouse);
}

function nameOf(played: Played | undefined): string {
  return `${played?.one.file ?? ""}: ${played?.one.name ?? ""}`;
}

/** What differs from the case, as text; null: nothing. */
async function playCase({ steps }: Played, open?: OpenEmpty): Promise<string | null> {
  const decider = await createSqlDecider(open);
  try {
    for (const { run, expected } of steps) {
      const { got, want } = compareRows(await decider.run(run), expected);
      if (JSON.stringify(got) !== JSON.stringify(want)) return JSON.stringify({ got, want });
    }
    return null;
  } finally {
    await decider.close();
  }
}

async function playStory({ runs }: Story, open?: OpenEmpty): Promise<string | null> {
  const { difference, broken } = await compareStory(runs, createModel(), await createSqlDecider(open));
  return difference === null && broken.length === 0 ? null : JSON.stringify({ difference, broken });
}
