/**
 * Which columns of the row a template needs: a walk over the expanded tree that knows whose context each name is looked up in
 * (each, with, block parameters, partial arguments) and which columns a condition has shown to be there.
 */
import { place, simpleName, type Expression, type HashNode, type Loc, type PathNode, type Program, type Statement } from "./ast.js";
import { HELPERS } from "./helpers.js";
import { BUILT_IN_NAMES, type Variable } from "./types.js";

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

/** Root variables of the programs together, in order of first appearance; names that the job gives are left out. */
export function findVariables(programs: readonly Program[]): Variable[] {
  const found = new Map<string, Variable>();
  const record = (name: string, loc: Loc, required: boolean): void => {
    const known = found.get(name);
    if (BUILT_IN_NAMES.has(name) || (known !== undefined && (known.required || !required))) return;
    found.set(name, { name, required, ...place(loc) });
  };

  const expression = (node: Expression, env: Env, mode: Mode, at: Loc = node.loc): void => {
    if (node.type === "PathExpression") {
      const target = resolve(node, env);
      if (typeof target === "string") record(target, at, mode === "need" && !env.guarded.has(target));
      else if (target !== null) expression(target.node, { ...target.env, guarded: env.guarded }, mode, target.node.loc);
    } else if (node.type === "SubExpression") call(node.path.original, node.params, node.hash, env, mode);
  };
  const call = (name: string, params: readonly Expression[], hash: HashNode | undefined, env: Env, mode: Mode): void => {
    const inner = ASKING.has(name) ? "ask" : mode;
    for (const param of params) expression(param, env, inner);
    for (const pair of hash?.pairs ?? []) expression(pair.value, env, inner);
  };
  const statements = (list: readonly Statement[], env: Env): void => {
    for (const node of list) {
      if (node.type === "MustacheStatement") {
        const name = simpleName(node.path);
        if (node.path.type === "PathExpression" && (node.params.length > 0 || (name !== null && Object.hasOwn(HELPERS, name))))
          call(node.path.original, node.params, node.hash, env, "need");
        else expression(node.path, env, "need");
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
          if (subject !== undefined) expression(subject, env, "need");
          for (const pair of node.hash?.pairs ?? []) expression(pair.value, env, "ask");
          const names = new Map((node.hash?.pairs ?? []).map((pair) => [pair.key, pair.value]));
          const under = subject === undefined || isThis(subject) ? (env.contexts.at(-1) ?? { kind: "other" }) : ({ kind: "other" } as const);
          statements(node.program.body, down({ kind: "laid", names, outer: env, under }));
        } else if (subject !== undefined) {
          expression(subject, env, "ask");
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
  return [...found.values()];
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
