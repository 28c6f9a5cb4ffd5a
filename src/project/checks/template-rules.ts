/** Rules that look at what a template says. */
import type { Project } from "../types.js";
import { place, type Program, type ValueNode } from "../../render/language/ast.js";
import { analyse } from "../../render/html/contexts.js";
import { flatten } from "../../render/html/pieces.js";
import type { TemplateTrees } from "../../render/templates/types.js";
import { findVariables } from "../../render/language/variables.js";
import { severalActions } from "./actions.js";
import { clipped, hasPostalAddress, unencodedLinks } from "./email-rules.js";
import { isStock } from "./stock-words.js";
import type { Found, Use, Report } from "./types.js";
import { walk } from "./walk.js";

/** Columns that tell who the reader is, not what they did. */
const PERSONAL: ReadonlySet<string> = new Set(
  `name first_name firstname last_name lastname full_name given_name family_name middle_name surname nickname display_name username user_name
  salutation email phone device_token locale language country timezone`.split(/\s+/),
);

export function lintTemplate(use: Use, project: Project): Found[] {
  const { template } = use;
  const trees = template.trees();
  const email = use.contents.has("email");
  const finding: Report = (rule, message, loc) => ({
    rule,
    ...(loc === undefined ? { file: template.file, line: 1, column: 1 } : place(loc)),
    message,
    segments: use.segments.map(({ id }) => id),
    silences: template.lint,
  });
  const texts = [trees.subject, trees.preheader, trees.body].filter((tree) => tree !== null);
  return [
    ...(texts.some(speaksOfEvent) ? [] : [finding("no-property", `Template ${template.name} says nothing of what the reader did.`, trees.body.loc)]),
    ...(trees.subject !== null && isGeneric(trees.subject, project.name)
      ? [finding("generic-subject", `The subject ${JSON.stringify(template.subject)} could head any email.`, trees.subject.loc)]
      : []),
    ...(use.marketing ? exactTimes(trees, email, finding) : []),
    ...(email ? severalActions(trees.body, finding) : []),
    ...(email && use.marketing && !reads(trees.mail, "unsubscribe_url")
      ? [finding("no-unsubscribe", `Neither template ${template.name} nor its layout links to {{unsubscribe_url}}.`)]
      : []),
    ...(email && use.marketing && !hasPostalAddress(trees.mail)
      ? [finding("no-postal-address", `Neither template ${template.name} nor its layout holds a postal address.`)]
      : []),
    ...(email ? [...unencodedLinks(trees.mail, finding), ...clipped(template.name, trees.mail, finding)] : []),
  ];
}

/** A column of the query that is not the person's own, or the time of the behaviour. */
function speaksOfEvent(tree: Program): boolean {
  return reads(tree, "occurred_at") || findVariables([tree]).some(({ name }) => !PERSONAL.has(name.toLowerCase()));
}

function reads(tree: Program, name: string): boolean {
  let found = false;
  walk(tree, { read: (path) => (found ||= path === name) });
  return found;
}

function isGeneric(subject: Program, projectName: string): boolean {
  if (speaksOfEvent(subject)) return false;
  let written = "";
  walk(subject, { text: (value) => (written += ` ${value}`) });
  return isStock(written, projectName);
}

/** Names of times to come: when a trial ends or an appointment starts, the reader may want to know the hour. */
const TO_COME = /(?:^|_)(?:ends?|ending|expires?|expiry|starts?|begins?|due|until|by|deadline|renews?|delivery|arrives?)(?:_|$)/;

function exactTimes({ subject, preheader, body }: TemplateTrees, email: boolean, finding: Report): Found[] {
  const found: Found[] = [];
  const links = email ? inAttributes(body) : new Set<ValueNode>();
  for (const tree of [subject, preheader, body]) {
    if (tree === null) continue;
    walk(
      tree,
      {
        printed: (path, loc) => {
          if (/(?:^|[._])at$|^as_of$/.test(path)) found.push(finding("exact-time", `{{${path}}} prints a timestamp.`, loc));
        },
        called: (helper, [value, style], loc) => {
          if (helper !== "date" || style?.type !== "StringLiteral" || !/time$/.test(String(style.value))) return;
          const path = value?.type === "PathExpression" ? value.parts.join(".") : "";
          if (!TO_COME.test(path)) found.push(finding("exact-time", `{{date ${path} ${JSON.stringify(style.value)}}} tells the hour and minute.`, loc));
        },
      },
      links,
    );
  }
  return found;
}

/** Values in links and the like, which nobody reads. */
function inAttributes(tree: Program): Set<ValueNode> {
  const { source, contexts } = analyse(flatten(tree.body));
  return new Set(source.tokens.flatMap((piece, token) => (piece.kind === "value" && contexts[token]?.kind === "attribute" ? [piece.node] : [])));
}
