/** From a zod schema's issues and the YAML they were found in to problems with a place, a value and a way out. */
import type * as z from "zod";
import type { Problem } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import { NEAREST } from "./fields.js";
import type { Path, YamlSource } from "../written/yaml-source.js";

type Issue = z.core.$ZodIssue;

/** More than this of a value is cut in messages. */
const SHOWN_CHARACTERS = 60;

interface ValidateOptions {
  /** The value to check where it isn't the source's own (environment variables filled in). Messages show the source's. */
  value?: unknown;
  /** Dotted paths whose values are never shown. */
  hidden?: (path: string) => boolean;
  /** Paths that are not complained about: what stands there is not known. */
  skip?: (path: Path) => boolean;
}

/** Checks a source against a schema. `data` is null where anything was wrong, skipped or not. */
export function validate<S extends z.ZodType>(
  schema: S,
  source: YamlSource,
  { value = source.value, hidden = () => false, skip = () => false }: ValidateOptions = {},
): { data: z.output<S> | null; problems: Problem[] } {
  const result = schema.safeParse(value, { error: expected });
  if (result.success) return { data: result.data, problems: [] };
  const issues = result.error.issues.flatMap(flatten).filter((issue) => !skip(issue.path));
  return { data: null, problems: issues.flatMap((issue) => toProblems(issue, source, hidden)) };
}

/** Notes a problem at a path: a code without `config/`, what is wrong, the way out. */
export type Report = (path: Path, code: string, message: string, hint?: string, part?: "key" | "value") => void;

/** A problem at a path of a source. */
export function problemAt(
  source: YamlSource,
  path: Path,
  problem: { code: string; message: string; hint?: string | undefined },
  part: "key" | "value" = "value",
): Problem {
  const { code, message, hint } = problem;
  return { code, message, ...(hint === undefined ? {} : { hint }), file: source.file, ...source.place(path, part) };
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (current === null || typeof current !== "object" || !Object.hasOwn(current, part)) return undefined;
    current = (current as Record<PropertyKey, unknown>)[part];
  }
  return current;
}

/** A value as messages show it: short, on one line, without what lists and mappings hold. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return Object.keys(value).length === 0 ? "an empty mapping" : "a mapping";
  if (typeof value !== "string") return JSON.stringify(value);
  return JSON.stringify(value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value);
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping",
  record: "a mapping",
  array: "a list",
};

/** The phrase after "expected" for issues whose schema brings none; for unknown keys the allowed ones, joined by commas. */
function expected(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return oneOf(issue.values.map(String));
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options) ? oneOf(issue.options.map(String)) : "another value";
    case "too_small":
      return atLeast(issue.origin, issue.minimum, issue.inclusive !== false);
    case "too_big":
      return `${String(issue.maximum)} or less`;
    case "unrecognized_keys":
      return allowedKeys(issue.inst).join(", ");
    default:
      return "another value";
  }
}

/** The keys of an object, or of a record whose keys are listed. */
function allowedKeys(schema: unknown): string[] {
  const { shape, keyType } = (schema as { _zod: { def: { shape?: object; keyType?: z.core.$ZodType } } } | undefined)?._zod.def ?? {};
  return shape !== undefined ? Object.keys(shape) : [...(keyType?._zod.values ?? [])].map(String);
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.join(", ")}`;
}

function atLeast(origin: string, minimum: number | bigint, inclusive: boolean): string {
  if (origin === "string") return "text that is not empty";
  if (origin === "array") return minimum === 1 ? "at least one entry" : `at least ${String(minimum)} entries`;
  return inclusive ? `${String(minimum)} or more` : `more than ${String(minimum)}`;
}

/**
 * An issue of a union becomes those of the alternative that was meant: one whose type fits, else all alternatives in one
 * phrase. All other issues stay as they are.
 */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const atRoot = (inner: Issue): boolean => inner.path.length === 0 && inner.code !== "unrecognized_keys";
  const meant = issue.errors.find((alternative) => !alternative.some(atRoot));
  if (meant !== undefined) return meant.flatMap((inner) => flatten(within(inner, issue.path)));
  const roots = issue.errors.flatMap((alternative) => alternative.filter(atRoot));
  const rightType = roots.filter((inner) => inner.code !== "invalid_type");
  const phrases = new Set((rightType.length > 0 ? rightType : roots).map((inner) => inner.message));
  return [{ ...issue, errors: [], message: [...phrases].join(" or ") }];
}

function within(inner: Issue, path: PropertyKey[]): Issue {
  return { ...inner, path: [...path, ...inner.path] };
}

function toProblems(issue: Issue, source: YamlSource, hidden: (path: string) => boolean): Problem[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(issue, key, source));
  const { path } = issue;
  const dotted = path.join(".");
  if (issue.code === "invalid_key") {
    const allowed = issue.issues.map((inner) => inner.message).join(" or ");
    const key = String(path.at(-1));
    const message = `${show(key)} in ${path.slice(0, -1).join(".")} is no allowed name; expected ${allowed}`;
    return [problemAt(source, path, { code: "config/name", message, hint: nearest(allowed, key) }, "key")];
  }
  const written = valueAt(source.value, path);
  if (written === undefined) {
    const message = `${String(path.at(-1) ?? "everything")} is missing${inside(path.slice(0, -1))}; expected ${issue.message}`;
    return [problemAt(source, path.slice(0, -1), { code: "config/missing", message })];
  }
  const secret = hidden(dotted) && (typeof written === "string" || typeof written === "number");
  // The reference alone is shown, never what it stands for; it says why a value that looks right can be wrong.
  const filled = typeof written === "string" && written.includes("${") ? " (from the environment)" : "";
  const value = (secret && !/^\$\{\w+\}$/.test(String(written)) ? "not shown here" : show(written)) + filled;
  const message = `${dotted === "" ? "the YAML" : dotted} is ${value}; expected ${issue.message}`;
  const hint = typeof written === "string" && !hidden(dotted) ? nearest(issue.message, written, allowedValues(issue)) : undefined;
  return [problemAt(source, path, { code: "config/value", message, hint })];
}

function unknownKey(issue: Issue, key: string, source: YamlSource): Problem {
  const message = `unknown key ${show(key)}${inside(issue.path)}; allowed: ${issue.message}`;
  const hint = didYouMean(nearestName(key, issue.message.split(", ")));
  return problemAt(source, [...issue.path, key], { code: "config/unknown-key", message, hint }, "key");
}

function inside(path: Path): string {
  return path.length === 0 ? "" : ` in ${path.join(".")}`;
}

function allowedValues(issue: Issue): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  return "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
}

function nearest(phrase: string, written: string, allowed: readonly string[] = []): string | undefined {
  return didYouMean(NEAREST.get(phrase)?.(written) ?? nearestName(written, allowed));
}
