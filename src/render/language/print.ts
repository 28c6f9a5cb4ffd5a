/** How a template's values are handed to the helpers that print them. */
import { block, literal, printed, simpleName, type Expression, type Program, type Statement, type ValueNode } from "./ast.js";
import { HELPERS } from "./helpers.js";
import { flatten, nest } from "../html/pieces.js";

/** Programs of the front matter's fields, by part name. */
export type Fields = Readonly<Record<string, Program>>;

/** Each field as a part of the compiled function. */
export function parted(fields: Fields): Statement[] {
  return Object.entries(fields).map(([name, field]) => block("__part", [literal(name, field.loc)], plainProgram(field), field.loc));
}

/** A tree whose values are printed as they are. */
export function plainProgram(tree: Program): Program {
  return nest(flatten(tree.body), tree.loc, (node) => print(node, "__value", false)) ?? tree;
}

/**
 * `{{name}}` as a call of one of the renderer's printing helpers, which know the name for their errors. `parent`: for HTML, the
 * element around it.
 */
export function print(node: ValueNode, helper: string, escaped: boolean, parent?: string): Statement {
  const called = node.path.type === "PathExpression" && (node.params.length > 0 || Object.hasOwn(HELPERS, simpleName(node.path) ?? ""));
  const value: Expression =
    called && node.path.type === "PathExpression" ? { type: "SubExpression", path: node.path, params: node.params, hash: node.hash, loc: node.loc } : node.path;
  const name =
    node.path.type === "PathExpression"
      ? [node.path.original, ...node.params.map((param) => ("original" in param ? String(param.original) : "(…)"))].join(" ")
      : "";
  return printed(helper, [value, literal(name, node.loc), ...(parent === undefined ? [] : [literal(parent, node.loc)])], escaped, node.loc);
}
