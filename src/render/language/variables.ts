/**
 * Which columns of the row a template needs, and as what: a walk over the expanded tree that knows whose context each name is looked up in
 * (each, with, block parameters, partial arguments) and which columns a condition has shown to be there.
 */
import { place, simpleName, type Expression, type HashNode, type Loc, type PathNode, type Program, type Statement } from "./ast.js";
import { writesTime } from "./format.js";
import { HELPERS } from "./helpers.js";
import { BUILT_IN_NAMES, type Use, type Variable } from "../types.js";

/** What names are looked up in: the row, something inside it, or either with a partial's arguments laid over. */
type Context = { kind: "row" } | { kind: "other" } | { kind: "laid"; names: ReadonlyMap<string, Expression>; outer: Env; under: Context };

interface Env {
  /** Innermost last; `../` goes back one. */
  contexts: readonly Context[];
  blockParams: ReadonlySet<string>;
  /** Columns that can't be null here. */
  guarded: ReadonlySet<string>;
}

/** `ask`: null is an answer. `need`: null would be printed. */
type Mode = "ask" | "need";

/** Helpers that take null for an answer. */
const ASKING: ReadonlySet<string> = new Set(["default", "and", "or", "not", "eq", "gt", "lt"]);

/** What a value is used as, and by which helper or block; null: it is printed. */
interface Purpose {
  as: Use["as"];
  by: string | null;
}

const PRINTED: Purpose = { as: "text", by: null };
const ASKED: Purpose = { as: "any", by: null };

/** What each argument of a helper is used as; `any` where there are more. */
const ARGUMENTS: Readonly<Record<string, readonly Use["as"][]>> = {
  money: ["number", "code"],
  number: ["number", "number"],
  plural: ["number", "text", "text"],
  gt: ["number", "number"],
  lt: ["number", "number"],
  eq: ["text", "text"],
  upper: ["text"],
  lower: ["text"],
  url: ["text"],
  join: ["items", "text"],
};

/** Of the argument at `index`; `default` hands on what it is used for itself. */
function purposeOf(name: string, index: number, params: readonly Expression[], outer: Purpose): Purpose {
  if (name === "default") return outer;
  if (name !== "date") return { as: ARGUMENTS[name]?.[index] ?? "any", by: name };
  const style = params[1];
  const clock = style?.type === "StringLiteral" && writesTime(String(style.value));
  return { as: index > 0 ? "any" : clock ? "clock" : "time", by: name };
}

/** Root variables of the programs together, in order of first appearance; names that the job gives are left out. */
export function findVariables(programs: readonly Program[]): Variable[] {
  const found = new Map<string, Variable>();
  walk(programs, (name, loc, required) => {
    const known = found.get(name);
    if (BUILT_IN_NAMES.has(name) || (known !== undefined && (known.required || !required))) return;
    found.set(name, { name, required, ...place(loc) });
  });
  return [...found.values()];
}

/** What the programs use each root variable as, the names that the job gives included; the same use once. */
export function findUses(programs: readonly Program[]): Use[] {
  const found = new Map<string, Use>();
  walk(programs, (name, loc, _, { as, by }, path) => {
    const written = by === null ? `{{${path}}}` : `{{${by} ${path}}}`;
    const key = `${name} ${as} ${written}`;
    if (!found.has(key)) found.set(key, { name, as, written, given: BUILT_IN_NAMES.has(name), ...place(loc) });
  });
  return [...found.values()];
}

/** Calls `record` for each time that a root variable is named; `path` as it is written. */
function walk(programs: readonly Program[], record: (name: string, loc: Loc, required: boolean, purpose: Purpose, path: string) => void): void {
  const expression = (node: Expression, env: Env, mode: Mode, purpose: Purpose, at: Loc = node.loc): void => {
    if (node.type === "PathExpression") {
      const target = resolve(node, env);
      const [field] = node.parts.slice(node.data ? 2 : 1);
      const used: Purpose = field === undefined ? purpose : field === "length" ? ASKED : { as: "field", by: null };
      if (typeof target === "string") record(target, at, mode === "need" && !env.guarded.has(target), used, node.original);
      else if (target !== null) expression(target.node, { ...target.env, guarded: env.guarded }, mode, used, target.node.loc);
    } else if (node.type === "SubExpression") call(node.path.original, node.params, node.hash, env, mode, purpose);
  };
  const call = (name: string, params: readonly Expression[], hash: HashNode | undefined, env: Env, mode: Mode, purpose: Purpose): void => {
    const inner = ASKING.has(name) ? "ask" : mode;
    for (const [index, param] of params.entries()) expression(param, env, inner, purposeOf(name, index, params, purpose));
    for (const pair of hash?.pairs ?? []) expression(pair.value, env, inner, ASKED);
  };
  const statements = (list: readonly Statement[], env: Env): void => {
    for (const node of list) {
      if (node.type === "MustacheStatement") {
        const name = simpleName(node.path);
        if (node.path.type === "PathExpression" && (node.params.length > 0 || (name !== null && Object.hasOwn(HELPERS, name))))
          call(node.path.original, node.params, node.hash, env, "need", PRINTED);
        else expression(node.path, env, "need", PRINTED);
      } else if (node.type === "BlockStatement") {
        const [subject] = node.params;
        const name = node.path.original;
        const params = new Set([...env.blockParams, ...(node.program.blockParams ?? [])]);
        const down = (context: Context, guards: readonly string[] = []): Env => ({
          contexts: [...env.contexts, context],
          blockParams: params,
          guarded: new Set([...env.guarded, ...guards]),
        });
        if (name === "__partial") {
          if (subject !== undefined) expression(subject, env, "need", ASKED);
          for (const pair of node.hash?.pairs ?? []) expression(pair.value, env, "ask", ASKED);
          const names = new Map((node.hash?.pairs ?? []).map((pair) => [pair.key, pair.value]));
          const under = subject === undefined || isThis(subject) ? (env.contexts.at(-1) ?? { kind: "other" }) : ({ kind: "other" } as const);
          statements(node.program.body, down({ kind: "laid", names, outer: env, under }));
        } else if (subject !== undefined) {
          expression(subject, env, "ask", name === "each" ? { as: "list", by: "#each" } : ASKED);
          const yes = guards(subject, env, name !== "unless");
          const no = guards(subject, env, name === "unless");
          const scoped = name === "each" || name === "with";
          statements(
            node.program.body,
            scoped
              ? down(isThis(subject) ? (env.contexts.at(-1) ?? { kind: "other" }) : { kind: "other" }, yes)
              : { ...env, guarded: new Set([...env.guarded, ...yes]) },
          );
          if (node.inverse !== undefined) statements(node.inverse.body, { ...env, guarded: new Set([...env.guarded, ...no]) });
        }
      }
    }
  };
  for (const program of programs) statements(program.body, { contexts: [{ kind: "row" }], blockParams: new Set(), guarded: new Set() });
}

const isThis = (node: Expression): boolean => node.type === "PathExpression" && !node.data && node.depth === 0 && node.parts.length === 0;

/** A column's name, a partial's argument with where it was written, or null for what is not of the row itself. */
function resolve(path: PathNode, env: Env): string | { node: Expression; env: Env } | null {
  const [first, second] = path.parts;
  if (path.data) return first === "root" ? (second ?? null) : null;
  if (first === undefined || (path.depth === 0 && env.blockParams.has(first) && !/^(?:\.|this\b)/.test(path.original))) return null;
  let context = env.contexts.at(-1 - path.depth);
  while (context?.kind === "laid") {
    const given = context.names.get(first);
    if (given !== undefined) return { node: given, env: context.outer };
    context = context.under;
  }
  return context?.kind === "row" ? first : null;
}

/** The columns that are surely not null when the condition comes out as `outcome`. */
function guards(node: Expression, env: Env, outcome: boolean): string[] {
  if (node.type === "PathExpression") {
    const target = resolve(node, env);
    if (target === null || typeof target === "string") return outcome && target !== null ? [target] : [];
    return guards(target.node, target.env, outcome);
  }
  if (node.type !== "SubExpression") return [];
  const name = node.path.original;
  if (name === "not" || name === "and" || name === "or") {
    const parts = node.params.map((param) => guards(param, env, name === "not" ? !outcome : outcome));
    const all = name === "not" || (name === "and") === outcome;
    return all ? parts.flat() : (parts[0] ?? []).filter((column) => parts.every((part) => part.includes(column)));
  }
  if (!outcome) return [];
  if (name === "gt" || name === "lt") return node.params.flatMap((param) => present(param, env));
  if (name === "eq") return node.params.some(isValue) ? node.params.flatMap((param) => present(param, env)) : [];
  return present(node, env);
}

const isValue = (node: Expression): boolean => node.type === "StringLiteral" || node.type === "NumberLiteral" || node.type === "BooleanLiteral";

/** The columns that are surely not null when the value is not null. */
function present(node: Expression, env: Env): string[] {
  if (node.type === "PathExpression") {
    const target = resolve(node, env);
    if (target === null) return [];
    return typeof target === "string" ? [target] : present(target.node, target.env);
  }
  if (node.type !== "SubExpression" || ASKING.has(node.path.original)) return [];
  return node.params.slice(0, node.path.original === "money" ? 2 : 1).flatMap((param) => present(param, env));
}
