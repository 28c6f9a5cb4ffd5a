/** Writes a partial's arguments where its text uses them, which saves a copy of the row for each call while rendering. */
import { simpleName, type Expression, type HashNode, type PathNode, type Program, type Statement } from "./ast.js";
import { HELPERS } from "./helpers.js";

/**
 * The statements of a partial with the arguments in place, or null where that would change what a name means: `../` inside, the whole context
 * (`{{this}}`), block parameters, or a field of an argument that is no path. Then the arguments are laid over the context at run time.
 */
export function substitute(list: readonly Statement[], hash: HashNode): Statement[] | null {
  const given = new Map(hash.pairs.map((pair) => [pair.key, pair.value]));
  try {
    return statements(list, given);
  } catch (error) {
    if (error instanceof NotPossible) return null;
    throw error;
  }
}

class NotPossible extends Error {}

/** Null: the context is an item's; nothing there is an argument. */
type Given = ReadonlyMap<string, Expression> | null;

function statements(list: readonly Statement[], given: Given): Statement[] {
  return list.map((node): Statement => {
    if (node.type === "MustacheStatement") {
      const called = node.params.length > 0 || node.hash !== undefined;
      return { ...node, path: called ? node.path : expression(node.path, given), ...callArguments(node, given) };
    }
    if (node.type !== "BlockStatement") return node;
    if (node.path.original === "__partial" || (node.program.blockParams ?? []).length > 0) throw new NotPossible();
    const inner = node.path.original === "if" || node.path.original === "unless" ? given : null;
    const inverse = node.inverse === undefined ? undefined : body(node.inverse, given);
    return { ...node, ...callArguments(node, given), program: body(node.program, inner), inverse };
  });
}

function body(program: Program, given: Given): Program {
  return { ...program, body: statements(program.body, given) };
}

function callArguments(node: { params: Expression[]; hash?: HashNode | undefined }, given: Given): { params: Expression[]; hash: HashNode | undefined } {
  const hash =
    node.hash === undefined ? undefined : { ...node.hash, pairs: node.hash.pairs.map((pair) => ({ ...pair, value: expression(pair.value, given) })) };
  return { params: node.params.map((param) => expression(param, given)), hash };
}

function expression(node: Expression, given: Given): Expression {
  if (node.type === "SubExpression") return { ...node, ...callArguments(node, given) };
  if (node.type !== "PathExpression" || node.data) return node;
  if (node.depth > 0 || (given !== null && node.parts.length === 0)) throw new NotPossible();
  const [first = "", ...rest] = node.parts;
  const value = given?.get(first);
  if (value === undefined) return node;
  // A column with a helper's name stays a column where it is printed.
  if (rest.length === 0)
    return value.type === "PathExpression" && Object.hasOwn(HELPERS, simpleName(value) ?? "") ? { ...value, original: `this.${value.original}` } : value;
  if (value.type !== "PathExpression") throw new NotPossible();
  const path: PathNode = { ...value, parts: [...value.parts, ...rest], original: [value.original, ...rest].join(".") };
  return path;
}
