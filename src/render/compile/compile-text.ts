/** Short texts outside templates: a segment's `because`, and the values of UTM parameters. */
import type { Problem } from "../../core/errors.js";
import type { Links } from "../../project/types.js";
import { parseSource, program, type Start } from "../language/ast.js";
import { checkProgram } from "../language/check.js";
import { compile } from "../language/engine.js";
import { plainProgram } from "../language/print.js";
import { RenderFault, type CompiledText, type RenderContext, type Settings } from "../types.js";
import { findUses, findVariables } from "../language/variables.js";

/** Compiles a text that is not HTML; `start` is where it stands. A part of HTML that prints it escapes it. */
export function compileText(source: string, start: Start): { text: CompiledText | null; problems: readonly Problem[] } {
  const parsed = parseSource(source, start);
  if ("problem" in parsed) return { text: null, problems: [parsed.problem] };
  const problems = checkProgram(parsed.program, new Set());
  if (problems.length > 0) return { text: null, problems };
  const found = { variables: findVariables([parsed.program]), uses: findUses([parsed.program]) };
  if (!source.includes("{{")) return { text: { ...found, render: () => source }, problems: [] };
  const run = compile(program(plainProgram(parsed.program).body, parsed.program.loc));
  return { text: { ...found, render: (data, settings) => run(data, settings).text }, problems: [] };
}

type Utm = Links["utm"];
type Names = Pick<RenderContext, "segment" | "step" | "variant">;

const compiled = new WeakMap<Utm, { values: readonly (readonly [string, CompiledText])[]; known: Map<string, Settings["utm"]> }>();

/** What is wrong with `links.utm`; `start` is where it stands. Values may use segment, step and variant. */
export function checkUtm(utm: Utm, start: Start): Problem[] {
  return Object.entries(utm).flatMap(([name, value]): Problem[] => {
    const { text, problems } = compileText(value, start);
    // segment, step and variant are among the names that the job gives; a column has no place in a link that analytics groups by.
    const columns = (text?.variables ?? []).map((variable): Problem => ({
      code: "links/utm",
      message: `links.utm.${name} uses "${variable.name}".`,
      hint: "Only segment, step and variant can stand there.",
      file: variable.file,
      line: variable.line,
    }));
    return [...problems, ...columns];
  });
}

/** The parameters of a message, in the order written; `source` and `utm_source` both mean `utm_source`. Throws RenderFault. */
export function utmParameters(utm: Utm, { segment, step, variant }: Names, settings: Settings): Settings["utm"] {
  let entry = compiled.get(utm);
  if (entry === undefined) {
    const values = Object.entries(utm).map(([name, value]): readonly [string, CompiledText] => {
      const { text, problems } = compileText(value, { file: `links.utm.${name}`, line: 1, column: 0 });
      if (text === null) throw new RenderFault(problems.map((problem) => problem.message).join("; "));
      return [name.startsWith("utm_") ? name : `utm_${name}`, text];
    });
    entry = { values, known: new Map() };
    compiled.set(utm, entry);
  }
  const key = `${segment}\n${step}\n${variant}`;
  const { known, values } = entry;
  let found = known.get(key);
  if (found === undefined) {
    found = values
      .map(([name, text]): readonly [string, string] => [name, text.render({ segment, step, variant }, settings)])
      .filter(([, value]) => value !== "");
    known.set(key, found);
  }
  return found;
}
