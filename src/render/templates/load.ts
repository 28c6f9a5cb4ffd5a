/** Reads templates/ and checks everything that can be wrong with it before a message is rendered. */
import { createHash } from "node:crypto";
import type { Problem } from "../../core/errors.js";
import { listFiles } from "../../project/written/files.js";
import { readText } from "../../project/written/text.js";
import { channelKind, type ChannelType } from "../../channels/registry.js";
import { parseSource, place, type Program } from "../language/ast.js";
import { checkProgram } from "../language/check.js";
import { bodySlots, expand, usedPartials, type Source } from "../language/expand.js";
import { readFrontMatter } from "./front-matter.js";
import { looksLikeJson, readJsonBody } from "../compile/json-body.js";
import { assemble, type Library, type TemplateFile } from "./template.js";
import type { Template } from "./types.js";
import type { Use, Variable } from "../types.js";

export interface Templates {
  /** By name, in name order; those with problems are left out. */
  templates: ReadonlyMap<string, Template>;
  problems: Problem[];
}

/** Loads every template below `root`/templates, `root` being the folder of opportune.yml. Reads nothing else. */
export function loadTemplates(root: string): Templates {
  const { files: listed, problems } = listFiles(root, "templates", ".hbs");
  const texts = new Map<string, string>();
  for (const file of listed) {
    const { text, problems: unreadable } = readText(root, file);
    if (unreadable.length === 0) texts.set(file, text);
    problems.push(...unreadable);
  }
  const files = [...texts.keys()];
  const nameOf = (file: string, folder: string): string => file.slice(`templates/${folder}`.length, -".hbs".length);
  const named = (folder: string): Map<string, string> =>
    new Map(files.filter((file) => file.startsWith(`templates/${folder}`)).map((file) => [nameOf(file, folder), file]));
  const partialFiles = named("partials/");
  const layoutFiles = named("layouts/");

  const check = (program: Program): Program | null => {
    const found = checkProgram(program, new Set(partialFiles.keys()));
    problems.push(...found);
    return found.length === 0 ? program : null;
  };
  const parse = (file: string, source: string, line: number): Program | null => {
    const parsed = parseSource(source, { file, line, column: 0 });
    if ("program" in parsed) return check(parsed.program);
    problems.push(parsed.problem);
    return null;
  };
  const sources = (of: ReadonlyMap<string, string>): Map<string, Source> =>
    new Map(
      [...of].flatMap(([name, file]) => {
        const program = parse(file, texts.get(file) ?? "", 1);
        return program === null ? [] : [[name, { file, program }] as const];
      }),
    );
  const library: Library = { partials: sources(partialFiles), layouts: sources(layoutFiles), partialFiles, layoutFiles };
  problems.push(...checkLayouts(library), ...[...library.partials.values()].flatMap(({ program }) => expand(program, library.partials, null).problems));

  const templates = new Map<string, Template>();
  for (const file of files.filter((each) => !/^templates\/(?:partials|layouts)\//.test(each))) {
    const { fields, body, bodyLine, lint, problems: wrong } = readFrontMatter(texts.get(file) ?? "", file);
    const json = looksLikeJson(body) ? readJsonBody(body, file, bodyLine) : null;
    const program = json === null ? parse(file, body, bodyLine) : check(json.program);
    problems.push(...wrong, ...(json?.problems ?? []));
    if (program === null || wrong.length > 0 || (json?.problems ?? []).length > 0) continue;
    const template: TemplateFile = { name: nameOf(file, ""), file, fields, body, bodyLine, lint, program, json };
    const loaded = assemble(template, library, writtenAs(template, library, texts));
    const form = loaded.kind === "email" ? loaded.email() : loaded.text();
    if (form.ok) templates.set(loaded.name, loaded);
    else problems.push(...form.problems);
  }
  return { templates, problems: distinct(problems) };
}

/** What is wrong with using a template on a channel: no subject for email, HTML in a text message, a layout that is not there. */
export function checkTemplate(template: Template, channel: ChannelType): readonly Problem[] {
  const { content } = channelKind(channel);
  if (content === "text" && template.kind === "email") {
    return [
      {
        code: "template/channel",
        message: `The template "${template.name}" is an email; a channel of type ${channel} sends plain text or JSON.`,
        hint: "Write a template without HTML tags for it.",
        file: template.file,
      },
    ];
  }
  const form = template[content]();
  return form.ok ? [] : form.problems;
}

/** The columns that a template reads when it is used on a channel; empty for a form that `checkTemplate` finds fault with. */
export function variablesFor(template: Template, channel: ChannelType): readonly Variable[] {
  const form = template[channelKind(channel).content]();
  return form.ok ? form.variables : [];
}

/** What the template makes of each column when it is used on a channel; empty for a form that `checkTemplate` finds fault with. */
export function usesFor(template: Template, channel: ChannelType): readonly Use[] {
  const form = template[channelKind(channel).content]();
  return form.ok ? form.uses : [];
}

function checkLayouts(library: Library): Problem[] {
  return [...library.layouts.values()].flatMap(({ file, program }): Problem[] => {
    const slots = bodySlots(program.body);
    if (slots === 1) return [];
    return [
      {
        code: "template/layout-body",
        message: slots === 0 ? "The layout has no {{{body}}}, so a template has no place in it." : `The layout has {{{body}}} ${slots} times; once is right.`,
        ...place(program.loc),
        file,
        line: 1,
        column: 1,
      },
    ];
  });
}

/** The template and all layouts and partials that it uses: as text, and their hash, each with its name and length, so that no two sets hash alike. */
function writtenAs(template: TemplateFile, library: Library, texts: ReadonlyMap<string, string>): Pick<Template, "version" | "source"> {
  const layout = template.fields.layout?.value ?? "base";
  const shell = layout === "none" ? undefined : library.layouts.get(layout);
  const partials = new Set([template.program, ...(shell === undefined ? [] : [shell.program])].flatMap((program) => usedPartials(program, library.partials)));
  const names = [template.file, library.layoutFiles.get(layout), ...[...partials].sort().map((name) => library.partialFiles.get(name))];
  const files = names.flatMap((file) => (file === undefined ? [] : [[file, texts.get(file) ?? ""] as const]));
  const hash = createHash("sha256");
  for (const file of files) hash.update(JSON.stringify(file));
  return { version: hash.digest("hex").slice(0, 12), source: files.map(([file, text]) => `==> ${file} <==\n${text}`).join("\n") };
}

/** A fault of a layout is found once for each template that uses it; it is reported once. */
function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()].sort(
    (a, b) => byText(a.file ?? "", b.file ?? "") || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

/** The same order on every machine, whatever its language. */
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
