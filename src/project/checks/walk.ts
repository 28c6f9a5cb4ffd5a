/** What a template's tree prints and calls. */
import { simpleName, type Expression, type HashNode, type Loc, type Program, type Statement, type ValueNode } from "../../render/language/ast.js";
import { HELPERS } from "../../render/language/helpers.js";

interface Visitor {
  /** A path whose value is printed as it is. */
  printed?: (path: string, loc: Loc) => void;
  /** A helper, wherever it stands. */
  called?: (helper: string, params: readonly Expression[], loc: Loc) => void;
  /** A path anywhere: printed, given to a helper, asked in a condition. */
  read?: (path: string) => void;
  /** What is written out. */
  text?: (value: string) => void;
}

/** Visits a tree in its order, but for the values in `skip`. */
export function walk(tree: Program, visitor: Visitor, skip?: ReadonlySet<ValueNode>): void {
  const expressions = (params: readonly Expression[], hash: HashNode | undefined): void => {
    for (const node of [...params, ...(hash?.pairs ?? []).map(({ value }) => value)]) {
      if (node.type === "PathExpression") visitor.read?.(node.parts.join("."));
      else if (node.type === "SubExpression") {
        visitor.called?.(node.path.original, node.params, node.loc);
        expressions(node.params, node.hash);
      }
    }
  };
  const statements = (list: readonly Statement[]): void => {
    for (const node of list) {
      if (node.type === "ContentStatement") visitor.text?.(node.value);
      else if (node.type === "MustacheStatement") {
        const { path } = node;
        if (skip?.has(node) === true) continue;
        if (path.type === "StringLiteral") visitor.text?.(String(path.value));
        else if (path.type !== "PathExpression") expressions([path], undefined);
        else if (node.params.length > 0 || Object.hasOwn(HELPERS, simpleName(path) ?? "")) visitor.called?.(path.original, node.params, node.loc);
        else {
          visitor.printed?.(path.parts.join("."), path.loc);
          visitor.read?.(path.parts.join("."));
        }
        expressions(node.params, node.hash);
      } else if (node.type === "BlockStatement") {
        expressions(node.params, node.hash);
        statements(node.program.body);
        statements(node.inverse?.body ?? []);
      }
    }
  };
  statements(tree.body);
}
