/** What a template may say: known helpers with the right number of arguments, known partials, the four blocks. */
import type { Problem } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import { place, simpleName, type Expression, type HashNode, type Loc, type PartialNode, type Program, type Statement } from "./ast.js";
import { BLOCKS, HELPERS } from "./helpers.js";

const DATA_NAMES: ReadonlySet<string> = new Set(["root", "index", "key", "first", "last", "lang", "dir"]);

/** Every use of something that does not exist, in the order of the file. `partials` are the names that `{{> name}}` may use. */
export function checkProgram(program: Program, partials: ReadonlySet<string>): Problem[] {
  const problems: Problem[] = [];
  const report = (code: string, loc: Loc, message: string, hint?: string): void => {
    problems.push({ code, message, ...(hint === undefined || hint === "" ? {} : { hint }), ...place(loc) });
  };

  const helper = (name: string, loc: Loc, params: readonly Expression[], hash: HashNode | undefined): void => {
    const spec = HELPERS[name];
    if (spec === undefined || !Object.hasOwn(HELPERS, name)) {
      const block = BLOCKS.has(name) ? `"${name}" is a block: {{#${name} …}} … {{/${name}}}.` : "";
      report(
        "template/unknown-helper",
        loc,
        `There is no helper "${name}".`,
        block || (didYouMean(nearestName(name, Object.keys(HELPERS))) ?? `Helpers: ${Object.keys(HELPERS).join(", ")}.`),
      );
    } else {
      const [least, most] = spec.arguments;
      if (params.length < least || params.length > most) {
        const column = params.length === 0 ? ` A column of that name is written {{this.${name}}}.` : "";
        report(
          "template/helper-arguments",
          loc,
          `"${name}" takes ${least === most ? least : `${least} to ${most}`} arguments; here are ${params.length}.`,
          `${spec.usage}.${column}`,
        );
      }
      const wrong = spec.wrong?.(params.map((param) => (param.type === "StringLiteral" || param.type === "NumberLiteral" ? param.value : undefined)));
      if (typeof wrong === "string") report("template/helper-arguments", loc, `"${name}": ${wrong}.`, `${spec.usage}.`);
      for (const pair of hash?.pairs ?? []) {
        if (!(spec.named ?? []).includes(pair.key)) report("template/helper-arguments", pair.loc, `"${name}" has no argument ${pair.key}=.`, spec.usage);
      }
    }
    inner(params, hash);
  };
  const inner = (params: readonly Expression[], hash: HashNode | undefined): void => {
    for (const param of params) expression(param);
    for (const pair of hash?.pairs ?? []) expression(pair.value);
  };
  const expression = (node: Expression): void => {
    if (node.type === "SubExpression") helper(node.path.original, node.loc, node.params, node.hash);
    else if (node.type === "PathExpression" && node.data && !DATA_NAMES.has(node.parts[0] ?? "")) {
      report(
        "template/unknown-data",
        node.loc,
        `There is no ${node.original}.`,
        didYouMean(nearestName(node.parts[0] ?? "", DATA_NAMES)) ?? `There are ${[...DATA_NAMES].map((name) => `@${name}`).join(", ")}.`,
      );
    }
  };
  const partial = (node: PartialNode): void => {
    const name = partialName(node);
    if (name === null)
      report(
        "template/dynamic-partial",
        node.loc,
        "A partial must be named as it is, so that what a message needs is known beforehand.",
        "{{#if a}}{{> one}}{{else}}{{> two}}{{/if}}",
      );
    else if (name !== "@partial-block" && !partials.has(name)) {
      report(
        "template/unknown-partial",
        node.loc,
        `There is no partial "${name}".`,
        didYouMean(nearestName(name, partials)) ??
          (partials.size === 0 ? `Write templates/partials/${name}.hbs.` : `Partials: ${[...partials].sort().join(", ")}.`),
      );
    }
    inner(node.params, node.hash);
    if (node.program !== undefined) statements(node.program.body);
  };
  const statements = (body: readonly Statement[]): void => {
    for (const node of body) {
      if (node.type === "MustacheStatement") {
        const name = node.path.type === "PathExpression" ? node.path.original : null;
        if (name === null) report("template/literal", node.loc, "Only a column or a helper can stand here.", "Write the text itself, without {{ }}.");
        else if (node.params.length > 0 || node.hash !== undefined || Object.hasOwn(HELPERS, simpleName(node.path) ?? ""))
          helper(name, node.loc, node.params, node.hash);
        else expression(node.path);
      } else if (node.type === "BlockStatement") {
        const name = node.path.original;
        if (!BLOCKS.has(name)) {
          report(
            "template/unknown-block",
            node.loc,
            `There is no block "${name}".`,
            didYouMean(nearestName(name, BLOCKS)) ?? `Blocks: ${[...BLOCKS].map((block) => `{{#${block} …}}`).join(", ")}.`,
          );
        } else if (node.params.length !== 1)
          report(
            "template/helper-arguments",
            node.loc,
            `{{#${name}}} takes one argument; here are ${node.params.length}.`,
            "Combine conditions with (and a b) or (or a b).",
          );
        inner(node.params, node.hash);
        statements(node.program.body);
        if (node.inverse !== undefined) statements(node.inverse.body);
      } else if (node.type === "PartialStatement" || node.type === "PartialBlockStatement") partial(node);
      else if (node.type === "Decorator" || node.type === "DecoratorBlock")
        report("template/decorator", node.loc, "Decorators and inline partials are not supported.", "Put the part into templates/partials/.");
    }
  };
  statements(program.body);
  return problems;
}

/** `button` of `{{> button}}`; null where the name is worked out at run time. */
export function partialName(node: PartialNode): string | null {
  if (node.name.type === "PathExpression") return node.name.data || node.name.depth === 0 ? node.name.original : null;
  return node.name.type === "StringLiteral" ? String(node.name.value) : null;
}
