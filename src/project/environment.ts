/** `${NAME}` in the values of opportune.yml. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

/** A variable that a value asks for and that nobody set. */
export interface MissingVariable {
  path: readonly string[];
  /** Empty where the braces hold no name. */
  variable: string;
}

/** The variables of the project's `.env`, if there is one, under those of the real environment. */
export function readEnvironment(root: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const file = join(root, ".env");
  return existsSync(file) ? { ...parseEnv(readFileSync(file, "utf8")), ...env } : env;
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
      const filled = current.replace(/\$\{([^}]*)\}?/g, (whole, inner: string) => {
        lastVariable = whole.endsWith("}") && /^[A-Za-z_][A-Za-z0-9_]*$/.test(inner) ? inner : "";
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
