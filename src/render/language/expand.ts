/**
 * Puts layout, template and partials into one tree, so that CSS, links and the text part can be worked out once. A partial's
 * arguments are written where it uses them; where that is not possible it becomes a `__partial` block that lays them over the
 * context, as Handlebars does when it calls a partial.
 */
import type { Problem } from "../../core/errors.js";
import { block, place, program, simpleName, type Program, type Statement, type ValueNode } from "./ast.js";
import { partialName } from "./check.js";
import { substitute } from "./substitute.js";

/** A parsed file. */
export interface Source {
  file: string;
  program: Program;
}

/** Nesting deeper than this is a circle in disguise; no hand-written mail comes near. */
const MAX_DEPTH = 20;

/**
 * The tree without partials. `body` takes the place of `{{{body}}}` when the program is a layout. Unknown and dynamic partials
 * are left out silently: checkProgram has named them.
 */
export function expand(root: Program, partials: ReadonlyMap<string, Source>, body: Program | null): { program: Program; problems: Problem[] } {
  const problems: Problem[] = [];
  const statements = (list: readonly Statement[], trail: readonly string[], slot: readonly Statement[] | null): Statement[] =>
    list.flatMap((node): Statement[] => {
      if (node.type === "BlockStatement") {
        const inverse = node.inverse === undefined ? undefined : { ...node.inverse, body: statements(node.inverse.body, trail, slot) };
        return [{ ...node, program: { ...node.program, body: statements(node.program.body, trail, slot) }, inverse }];
      }
      if (node.type === "MustacheStatement") return body !== null && trail.length === 0 && isBodySlot(node) ? statements(body.body, [""], null) : [node];
      if (node.type !== "PartialStatement" && node.type !== "PartialBlockStatement") return node.type === "CommentStatement" ? [] : [node];
      const name = partialName(node);
      let inside: Statement[];
      if (name === "@partial-block") inside = [...(slot ?? [])];
      else {
        const source = name === null ? undefined : partials.get(name);
        if (name === null || source === undefined) return [];
        if (trail.includes(name) || trail.length > MAX_DEPTH) {
          problems.push({
            code: "template/circular-partial",
            message: `The partial "${name}" uses itself: ${[...trail.filter(Boolean), name].join(" → ")}.`,
            hint: "Use {{#each}} for what repeats.",
            ...place(node.loc),
          });
          return [];
        }
        const given = node.program === undefined ? null : statements(node.program.body, trail, slot);
        inside = statements(source.program.body, [...trail, name], given);
      }
      if (node.params.length === 0 && node.hash === undefined) return inside;
      const written = node.params.length === 0 && node.hash !== undefined ? substitute(inside, node.hash) : null;
      if (written !== null) return written;
      return [block("__partial", node.params, program(inside, node.loc), node.loc, node.hash)];
    });
  return { program: { ...root, body: statements(root.body, [], null) }, problems };
}

/** `{{{body}}}`, where a layout takes the template. */
export function isBodySlot(node: ValueNode): boolean {
  return simpleName(node.path) === "body" && node.params.length === 0 && node.hash === undefined;
}

/** How often a layout holds `{{{body}}}`. */
export function bodySlots(list: readonly Statement[]): number {
  return list.reduce((count, node) => {
    if (node.type === "MustacheStatement") return count + (isBodySlot(node) ? 1 : 0);
    if (node.type === "BlockStatement") return count + bodySlots(node.program.body) + bodySlots(node.inverse?.body ?? []);
    return count + (node.type === "PartialBlockStatement" ? bodySlots(node.program?.body ?? []) : 0);
  }, 0);
}

/** Names of the partials that a program uses, and that those use, for the version. */
export function usedPartials(root: Program, partials: ReadonlyMap<string, Source>): string[] {
  const found = new Set<string>();
  const walk = (list: readonly Statement[]): void => {
    for (const node of list) {
      if (node.type === "BlockStatement") {
        walk(node.program.body);
        walk(node.inverse?.body ?? []);
      } else if (node.type === "PartialStatement" || node.type === "PartialBlockStatement") {
        const name = partialName(node);
        const source = name === null ? undefined : partials.get(name);
        if (name !== null && source !== undefined && !found.has(name)) {
          found.add(name);
          walk(source.program.body);
        }
        walk(node.program?.body ?? []);
      }
    }
  };
  walk(root.body);
  return [...found].sort();
}
