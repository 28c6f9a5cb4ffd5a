/** One template: its front matter, and its forms compiled when first asked for. */
import { isAddress } from "../../core/address.js";
import type { Problem } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import { parseSource, program, type Program } from "../language/ast.js";
import { buildEmail, type BuiltEmail, type BuiltText } from "../compile/build.js";
import { checkProgram } from "../language/check.js";
import { compile } from "../language/engine.js";
import { expand, type Source } from "../language/expand.js";
import type { Field, FrontMatter } from "./front-matter.js";
import type { JsonBody } from "../compile/json-body.js";
import { parted, plainProgram, type Fields } from "../language/print.js";
import type { Built, Template, TemplateTrees } from "./types.js";
import { findUses, findVariables } from "../language/variables.js";

export interface TemplateFile extends Pick<FrontMatter, "fields" | "body" | "bodyLine" | "lint"> {
  name: string;
  file: string;
  /** Of the body, of a JSON body that of its strings. */
  program: Program;
  json: JsonBody | null;
}

/** Layouts and partials: those that parsed, and the files of all. */
export interface Library {
  partials: ReadonlyMap<string, Source>;
  layouts: ReadonlyMap<string, Source>;
  partialFiles: ReadonlyMap<string, string>;
  layoutFiles: ReadonlyMap<string, string>;
}

const DEFAULT_LAYOUT = "base";
const HTML_TAG = /<\/?(?:a|b|body|br|center|div|em|h[1-6]|hr|html|i|img|li|ol|p|section|span|strong|style|table|td|th|tr|ul)(?:\s[^<>]*)?\/?>/i;

/** Puts a template together; its forms report their problems when they are built. */
export function assemble(template: TemplateFile, library: Library, { version, source }: Pick<Template, "version" | "source">): Template {
  const { fields } = template;
  const kind = kindOf(template);
  const email = once(() => emailForm(template, library));
  const text = once(() => textForm(template, library));
  return {
    name: template.name,
    file: template.file,
    version,
    source,
    subject: fields.subject?.value ?? null,
    preheader: fields.preheader?.value ?? null,
    from: fields.from?.value ?? null,
    replyTo: fields.reply_to?.value ?? null,
    kind,
    get variables() {
      const form = kind === "email" ? email() : text();
      return form.ok ? form.variables : [];
    },
    email,
    text,
    trees: () => treesOf(template, library),
    lint: template.lint,
  };
}

function treesOf(template: TemplateFile, library: Library): TemplateTrees {
  const field = (name: "subject" | "preheader"): Program | null => fieldProgram(name, template.fields[name], [])[name] ?? null;
  const body = expand(template.program, library.partials, null).program;
  const layout = findLayout(template, library, []);
  const mail = layout === null || layout === "broken" ? body : expand(layout.program, library.partials, template.program).program;
  return { subject: field("subject"), preheader: field("preheader"), body, mail };
}

function kindOf({ fields, body, json }: TemplateFile): Template["kind"] {
  if (json !== null) return "json";
  const speaksOfMail = fields.preheader ?? fields.from ?? fields.reply_to ?? fields.layout;
  return speaksOfMail !== undefined || HTML_TAG.test(body) ? "email" : "text";
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

function emailForm(template: TemplateFile, library: Library): Built<BuiltEmail> {
  const { fields, file } = template;
  const problems: Problem[] = [];
  if (template.json !== null)
    problems.push({ code: "template/channel", message: "The body is JSON; an email needs HTML or text.", file, line: template.bodyLine });
  if (fields.subject === undefined)
    problems.push({
      code: "template/no-subject",
      message: "An email needs a subject.",
      hint: 'Begin the file with ---, subject: "…", ---.',
      file,
      line: 1,
      column: 1,
    });
  const parts = {
    ...fieldProgram("subject", fields.subject, problems),
    ...fieldProgram("preheader", fields.preheader, problems),
    ...mailboxPrograms("from", fields.from, problems),
    ...mailboxPrograms("reply_to", fields.reply_to, problems),
  };
  const layout = findLayout(template, library, problems);
  if (layout === "broken") return { ok: false, problems };
  const { program: tree, problems: circles } =
    layout === null ? expand(template.program, library.partials, null) : expand(layout.program, library.partials, template.program);
  problems.push(...circles);
  if (problems.length > 0) return { ok: false, problems };
  const result = buildEmail({ ...tree, loc: { ...tree.loc, source: file } }, parts);
  const programs = [...Object.values(parts), tree];
  return "built" in result
    ? { ok: true, built: result.built, variables: findVariables(programs), uses: findUses(programs) }
    : { ok: false, problems: result.problems };
}

/** Null: none wanted. `broken`: named, but missing (reported here) or faulty (reported already). */
function findLayout({ fields, file }: TemplateFile, library: Library, problems: Problem[]): Source | null | "broken" {
  const name = fields.layout?.value ?? DEFAULT_LAYOUT;
  if (name === "none") return null;
  if (!library.layoutFiles.has(name)) {
    const start = fields.layout?.start ?? { file, line: 1, column: 0 };
    const way =
      fields.layout === undefined
        ? `Write templates/layouts/${DEFAULT_LAYOUT}.hbs, or say layout: none.`
        : (didYouMean(nearestName(name, library.layoutFiles.keys())) ?? `Layouts: ${[...library.layoutFiles.keys(), "none"].join(", ")}.`);
    problems.push({
      code: "template/unknown-layout",
      message: `There is no layout "${name}".`,
      hint: way,
      file: start.file,
      line: start.line,
      column: start.column + 1,
    });
    return "broken";
  }
  return library.layouts.get(name) ?? "broken";
}

function textForm(template: TemplateFile, library: Library): Built<BuiltText> {
  const problems: Problem[] = [];
  const subject = fieldProgram("subject", template.fields.subject, problems);
  const { json } = template;
  const { program: body, problems: circles } = expand(template.program, library.partials, null);
  problems.push(...circles);
  const strings: Fields = Object.fromEntries(Object.entries(json?.fields ?? {}).map(([name, field]) => [name, expand(field, library.partials, null).program]));
  if (problems.length > 0) return { ok: false, problems };
  const parts: Fields = { ...subject, ...strings };
  const rest = json === null ? plainProgram(body).body : [];
  const run = compile(program([...parted(parts), ...rest], body.loc));
  const programs = [...Object.values(parts), ...(json === null ? [body] : [])];
  return { ok: true, built: { run, shape: json?.shape ?? null }, variables: findVariables(programs), uses: findUses(programs) };
}

function fieldProgram(name: string, field: Field | undefined, problems: Problem[]): Record<string, Program> {
  if (field === undefined) return {};
  const parsed = parseSource(field.value, field.start);
  if ("problem" in parsed) {
    problems.push(parsed.problem);
    return {};
  }
  problems.push(...checkProgram(parsed.program, new Set()));
  return { [name]: parsed.program };
}

/** `Name <address>` in two parts, split as written: a value in the name can't add an address of its own. */
function mailboxPrograms(name: "from" | "reply_to", field: Field | undefined, problems: Problem[]): Record<string, Program> {
  if (field === undefined) return {};
  const match = /^(.*?)\s*<([^<>]*)>\s*$/.exec(field.value);
  const address = match?.[2] ?? field.value;
  if (!address.includes("{{") && !isAddress(address.trim())) {
    problems.push({
      code: "template/address",
      message: `"${field.value}" in ${name} is not an email address.`,
      hint: `${name}: Ada Lovelace <ada@example.com>`,
      file: field.start.file,
      line: field.start.line,
      column: field.start.column + 1,
    });
  }
  const offset = match === null ? 0 : field.value.lastIndexOf("<") + 1;
  const at = { ...field.start, column: field.start.column + (field.start.exact === false ? 0 : offset) };
  const label = (match?.[1] ?? "").replace(/^"(.*)"$/, "$1");
  return {
    ...(label === "" ? {} : fieldProgram(`${name}_name`, { value: label, start: field.start }, problems)),
    ...fieldProgram(name, { value: address, start: at }, problems),
  };
}
