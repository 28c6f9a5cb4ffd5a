/**
 * Makes one small mistake after another in the chapters of sql/arbitrate/ and their partials, and asks who notices: first the decision table,
 * then random stories. `npm run test:mutants -- --help` tells the options.
 */
import { parseArgs } from "node:util";
import { CHAPTERS } from "../../src/arbitration/arbitrate.js";
import { EQUIVALENT } from "./equivalent.js";
import { inject, sqlFile } from "./inject.js";
import { mutantsOf, type Mutant } from "./mutate.js";
import { Judges, type Verdict } from "./judges.js";

const FILES = [...CHAPTERS, "partials/bite.sql", "partials/drawn_variant.sql"];
const USAGE = `Usage: npm run test:mutants -- [options]
  --file NAME      mutants of this file of sql/ alone, as arbitrate/60_line.sql
  --in TABLE       mutants in this table of a chapter alone
  --text TEXT      mutants whose change contains this text alone
  --from N         begin at this one (default: 1)
  --limit N        ask about at most this many
  --cases FILE     ask the cases of files whose name begins so alone: quick, but it lets more pass
  --stories N      how many random stories see what the decision table lets pass (default: 4)
  --list           print the mutants and ask nobody`;

const { values } = parseArgs({
  options: {
    file: { type: "string" },
    in: { type: "string" },
    text: { type: "string" },
    from: { type: "string", default: "1" },
    limit: { type: "string", default: "1000000" },
    cases: { type: "string", default: "" },
    stories: { type: "string", default: "4" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** What tells a mutant from all others, whatever line it stands on. */
function nameOf(mutant: Mutant): string {
  return `${mutant.file} ${mutant.part}: ${mutant.kind}: ${mutant.was} => ${mutant.now === "" ? "nothing" : mutant.now}`;
}

interface Numbered extends Mutant {
  number: number;
  /** Its name; the second of one name in a part ends with #2. */
  name: string;
}

function allMutants(): Numbered[] {
  const seen = new Map<string, number>();
  return FILES.flatMap((file) => mutantsOf(file, sqlFile(file))).map((mutant, i) => {
    const name = nameOf(mutant);
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    return { ...mutant, number: i + 1, name: nth === 1 ? name : `${name} #${String(nth)}` };
  });
}

function chosen(all: readonly Numbered[]): Numbered[] {
  return all
    .filter(({ file, part, name }) => file === (values.file ?? file) && part === (values.in ?? part) && name.includes(values.text ?? ""))
    .filter(({ number }) => number >= Number(values.from))
    .slice(0, Number(values.limit));
}

function shown(mutant: Numbered): string {
  const short = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}...` : text);
  return `${String(mutant.number)} sql/${mutant.file}:${String(mutant.line)} ${mutant.part}: ${mutant.kind}: ${short(mutant.was)} => ${short(mutant.now === "" ? "nothing" : mutant.now)}`;
}

/** Why nobody can notice the mutant; undefined: the list doesn't have it. */
function excuseOf(name: string): string | undefined {
  return EQUIVALENT.find(({ mutants }) => mutants.includes(name))?.because;
}

async function askAll(mutants: readonly Numbered[]): Promise<Map<Numbered, Verdict>> {
  const judges = await Judges.open(values.cases, Number(values.stories));
  const verdicts = new Map<Numbered, Verdict>();
  try {
    for (const mutant of mutants) {
      inject(mutant.file, mutant.text);
      const verdict = await judges.ask();
      inject(mutant.file);
      verdicts.set(mutant, verdict);
      const told = verdict.by === "nobody" ? `SURVIVES: ${excuseOf(mutant.name) ?? verdict.why}` : `${verdict.by}: ${verdict.why}`;
      console.log(`${shown(mutant)}\n    ${told}`);
    }
  } finally {
    await judges.close();
  }
  return verdicts;
}

function report(verdicts: ReadonlyMap<Numbered, Verdict>, all: readonly Numbered[]): boolean {
  const by = (who: Verdict["by"]): Numbered[] => [...verdicts].flatMap(([mutant, verdict]) => (verdict.by === who ? [mutant] : []));
  const alive = by("nobody");
  const excused = alive.filter(({ name }) => excuseOf(name) !== undefined);
  const unexcused = alive.filter(({ name }) => excuseOf(name) === undefined);
  const names = new Set(all.map(({ name }) => name));
  const gone = EQUIVALENT.flatMap(({ mutants }) => mutants).filter((name) => !names.has(name));
  const killed = [...verdicts].flatMap(([{ name }, verdict]) =>
    verdict.by !== "nobody" && verdict.by !== "no statement" && excuseOf(name) !== undefined ? [name] : [],
  );
  const kills = (["case", "story", "error"] as const).map((who) => `${String(by(who).length)} by ${who}`).join(", ");
  console.log(
    `\n${String(verdicts.size)} mutants: killed ${kills}; ${String(by("no statement").length)} of other warehouses; ${String(excused.length)} equivalent; ${String(unexcused.length)} survive.`,
  );
  for (const mutant of unexcused) console.log(`SURVIVES ${shown(mutant)}\n    ${verdicts.get(mutant)?.why ?? ""}`);
  for (const name of gone) console.log(`GONE from sql/, remove it from equivalent.ts: ${name}`);
  for (const name of killed) console.log(`NOT EQUIVALENT, remove it from equivalent.ts: ${name}`);
  return unexcused.length + gone.length + killed.length === 0;
}

if (values.help) console.log(USAGE);
else {
  const all = allMutants();
  const mutants = chosen(all);
  if (values.list) for (const mutant of mutants) console.log(shown(mutant));
  else if (!report(await askAll(mutants), all)) process.exitCode = 1;
}
