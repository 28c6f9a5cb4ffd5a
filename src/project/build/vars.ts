/** The values of `vars`, numbers with all the digits that were written. */
import type { Problem } from "../../core/errors.js";
import { problemAt } from "../schema/problems.js";
import type { ProjectFile } from "../schema/project-schema.js";
import type { Var, VarValue } from "../types.js";
import type { YamlSource } from "../written/yaml-source.js";

/** What every warehouse holds of an exact number. */
const MOST_DIGITS = 38;

/** The vars of opportune.yml. */
export function buildVars(vars: ProjectFile["vars"], source: YamlSource): Record<string, Var> {
  const valueOf = (value: string | number | boolean, path: readonly string[]): VarValue =>
    typeof value === "number" ? { number: plainNumber(source.written(path), value) } : value;
  return Object.fromEntries(
    Object.entries(vars).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map((each, i) => valueOf(each, ["vars", name, String(i)])) : valueOf(value, ["vars", name]),
    ]),
  );
}

/** Numbers that no warehouse takes whole, and lists of several kinds. */
export function checkVars(vars: ProjectFile["vars"], source: YamlSource): Problem[] {
  return Object.entries(buildVars(vars, source)).flatMap(([name, value]) => {
    const values = ([] as VarValue[]).concat(value);
    const kinds = [...new Set(values.map((each) => (typeof each === "object" ? "number" : typeof each)))];
    const long = values.filter((each) => typeof each === "object" && each.number.replaceAll(/[-.]/g, "").length > MOST_DIGITS);
    return [
      ...(kinds.length > 1
        ? [{ message: `vars.${name} holds values of several kinds: ${kinds.join(", ")}`, hint: "write only numbers, only texts, or only true and false" }]
        : []),
      ...(long.length > 0
        ? [
            {
              message: `vars.${name} has more than ${String(MOST_DIGITS)} digits, the most of an exact number`,
              hint: "put it into quotes and cast the text in the query",
            },
          ]
        : []),
    ].map((problem) => problemAt(source, ["vars", name], { code: "config/var", ...problem }));
  });
}

/** Digits with at most one point, a minus before them: `1e3` is `1000`, and `4.90` stays `4.90`. `value` is taken where the text is none of these. */
function plainNumber(written: string | undefined, value: number): string {
  const found = DECIMAL.exec(written ?? "") ?? DECIMAL.exec(String(value));
  if (found === null) return String(value);
  const [, sign = "", whole = "", behind = "", exponent = "0"] = found;
  const digits = whole + behind;
  const point = whole.length + Number(exponent);
  const padded = point <= 0 ? "0".repeat(1 - point) + digits : digits.padEnd(point, "0");
  const at = Math.max(1, point);
  const before = padded.slice(0, at).replace(/^0+(?=\d)/, "");
  const after = padded.slice(at);
  return `${sign === "-" ? "-" : ""}${before}${after === "" ? "" : `.${after}`}`;
}

const DECIMAL = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d{1,3}))?$/;
