/** `${NAME}` in the values of opportune.yml. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "../../core/errors.js";
import { parseDotenv } from "./dotenv.js";
import { readText } from "./text.js";

/** What a value takes from the environment; the first group is the name, if it is one. */
const VARIABLE = /\$\{([^}]*)\}?/g;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The name in what VARIABLE found; "" where it is none, or nothing closes it. */
function nameIn(found: string, inner: string): string {
  return found.endsWith("}") && VARIABLE_NAME.test(inner) ? inner : "";
}

/** The names of all `${NAME}` in a text, each once, in order of appearance. */
export function variablesIn(text: string): string[] {
  return [...new Set([...text.matchAll(VARIABLE)].map(([found, inner = ""]) => nameIn(found, inner)))].filter((name) => name !== "");
}

/** A variable that a value asks for and that nobody set. */
export interface MissingVariable {
  path: readonly string[];
  /** Empty where the braces hold no name. */
  variable: string;
}

/**
 * The variables of the project's `.env`, if there is one, under those of the real environment. A folder of that name is somebody
 * else's: Python's virtual environments are often called so.
 */
export function readEnvironment(root: string, env: NodeJS.ProcessEnv): { env: NodeJS.ProcessEnv; problems: Problem[] } {
  const stat = statSync(join(root, ".env"), { throwIfNoEntry: false });
  if (stat === undefined || stat.isDirectory()) return { env: withoutLineEnds(env), problems: [] };
  const { text, problems } = readText(root, ".env");
  const parsed = parseDotenv(text);
  return { env: withoutLineEnds({ ...parsed.values, ...env }), problems: [...problems, ...parsed.problems] };
}

/** A secret that was made with `echo` or from a file ends in a line end, which no key, URL or password does. */
function withoutLineEnds(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value?.replace(/[\r\n]+$/, "")]));
}

/**
 * Replaces `${NAME}` in every text inside `value`, which stays as it is. What is not set, is no name (`${A:-b}`) or would
 * leave the whole text empty is left standing and listed with its path.
 */
export function fillIn(value: unknown, env: NodeJS.ProcessEnv): { value: unknown; missing: MissingVariable[] } {
  const missing: MissingVariable[] = [];
  const fill = (current: unknown, path: readonly string[]): unknown => {
    if (typeof current === "string") {
      let lastVariable = "";
      const filled = current.replace(VARIABLE, (whole, inner: string) => {
        lastVariable = nameIn(whole, inner);
        const found = lastVariable === "" ? undefined : env[lastVariable];
        if (found === undefined) missing.push({ path, variable: lastVariable });
        return found ?? whole;
      });
      if (filled === "" && current !== "") {
        missing.push({ path, variable: lastVariable });
        return current;
      }
      return filled;
    }
    if (Array.isArray(current)) return current.map((entry, index) => fill(entry, [...path, String(index)]));
    if (current === null || typeof current !== "object") return current;
    return Object.fromEntries(Object.entries(current).map(([key, entry]) => [key, fill(entry, [...path, key])]));
  };
  return { value: fill(value, []), missing };
}
