/** opportune.yml: the target chosen, variables filled in, checked. */
import type { Problem } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import type { fillIn, MissingVariable } from "./environment.js";
import { problemAt, show, validate, valueAt } from "../schema/problems.js";
import { holdsSecret, projectSchema, type ProjectFile } from "../schema/project-schema.js";
import { list } from "../schema/references.js";
import { checkProjectRules } from "../schema/rules.js";
import type { Path, YamlSource } from "./yaml-source.js";

export const PROJECT_FILE = "opportune.yml";

interface CheckedProjectFile {
  /** Null where it is too broken to go on. */
  data: ProjectFile | null;
  /** Name of the chosen target. */
  target: string | undefined;
  problems: Problem[];
}

/**
 * Checks opportune.yml but for what it refers to in other files. `asked` is the target of the command line, `usedChannels`
 * are those that segments name.
 */
export function checkProjectFile(
  source: YamlSource,
  { value, missing }: ReturnType<typeof fillIn>,
  asked: string | undefined,
  usedChannels: readonly string[],
): CheckedProjectFile {
  const chosen = chooseTarget(source, value, asked, missing);
  // Other targets and idle channels may lack their variables: nobody needs production's password to try something out.
  const needed = (path: Path): boolean => {
    if (path[0] === "targets") return chosen.name === undefined || path[1] === chosen.name;
    return path[0] !== "channels" || usedChannels.includes(String(path[1]));
  };
  const skip = (path: Path): boolean => missing.some((variable) => variable.path.join(".") === path.join("."));
  const checked = validate(projectSchema, source, { value, hidden: holdsSecret, skip });
  const data = checked.data ?? projectSchema.safeParse(without(value, missing, needed)).data ?? null;
  const problems = [
    ...chosen.problems,
    ...missing.filter(({ path }) => needed(path)).map((variable) => missingVariable(source, variable)),
    ...checked.problems,
    ...(data === null ? [] : checkProjectRules(data, source, skip)),
  ];
  return { data, target: chosen.name, problems };
}

function chooseTarget(
  source: YamlSource,
  value: unknown,
  asked: string | undefined,
  missing: readonly MissingVariable[],
): { name: string | undefined; problems: Problem[] } {
  const names = keysAt(source, value, "targets") ?? [];
  const written = valueAt(value, ["target"]);
  const name = asked ?? written ?? (names.length === 1 ? names[0] : undefined);
  const elsewhere = names.length === 0 || missing.some(({ path }) => path.join(".") === "target");
  if (elsewhere && asked === undefined) return { name: undefined, problems: [] };
  if (name === undefined) {
    const message = `target is missing; expected one of ${names.join(", ")}`;
    return {
      name,
      problems: [problemAt(source, [], { code: "config/missing", message, hint: "add target:, or choose with --target" })],
    };
  }
  // Anything but text is the schema's to complain about.
  if (typeof name !== "string") return { name: undefined, problems: [] };
  if (names.includes(name)) return { name, problems: [] };
  const code = "config/unknown-target";
  const hint = didYouMean(nearestName(name, names)) ?? "add it to targets";
  const known = `known: ${list(names)}`;
  const problem =
    asked === undefined
      ? problemAt(source, ["target"], {
          code,
          message: `unknown target ${show(valueAt(source.value, ["target"]))}; ${known}`,
          hint,
        })
      : problemAt(source, ["targets"], { code, message: `unknown target ${show(asked)} in --target; ${known}`, hint }, "key");
  return { name: undefined, problems: [problem] };
}

function missingVariable(source: YamlSource, { path, variable }: MissingVariable): Problem {
  const where = path.join(".");
  if (variable === "") {
    const message = `${where} holds a \${ without a variable's name and }`;
    return problemAt(source, path, { code: "config/environment", message, hint: "write ${NAME}; defaults are not supported" });
  }
  const message = `the environment variable ${variable} in ${where} is not set, or empty`;
  return problemAt(source, path, { code: "config/environment", message, hint: "set it in the environment or in .env" });
}

/** The value without the targets and channels that nobody needs and whose variables are missing. */
function without(value: unknown, missing: readonly MissingVariable[], needed: (path: Path) => boolean): unknown {
  const dropped = new Set(missing.filter(({ path }) => !needed(path)).map(({ path }) => path.slice(0, 2).join(".")));
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([section, entries]: [string, unknown]) => [
      section,
      isMapping(entries) ? Object.fromEntries(Object.entries(entries).filter(([name]) => !dropped.has(`${section}.${name}`))) : entries,
    ]),
  );
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** The names in a section of opportune.yml; null where the section can't be read. */
export function keysAt(source: YamlSource | null, value: unknown, section: string): string[] | null {
  if (source === null || !isMapping(source.value)) return null;
  const entries = valueAt(value, [section]);
  if (entries === undefined) return [];
  return isMapping(entries) ? Object.keys(entries) : null;
}
