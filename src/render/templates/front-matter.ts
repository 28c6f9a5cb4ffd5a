/** The YAML between `---` lines at the top of a template. */
import * as z from "zod";
import type { Problem } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import { buildSilences, silences, type Silences } from "../../project/schema/lint-rules.js";
import { validate, valueAt } from "../../project/schema/problems.js";
import { frontMatterOf, type Marks, type Place, type YamlSource } from "../../project/written/yaml-source.js";
import type { Start } from "../language/ast.js";

export interface Field {
  value: string;
  /** Where the value begins. */
  start: Start;
}

const FIELDS = ["subject", "preheader", "from", "reply_to", "layout"] as const;
export type Key = (typeof FIELDS)[number];
const KEYS: readonly string[] = [...FIELDS, "lint"];

export interface FrontMatter {
  fields: Partial<Record<Key, Field>>;
  body: string;
  /** 1-based line of the file on which the body begins. */
  bodyLine: number;
  lint: Silences;
  problems: Problem[];
}

const MARKS: Marks = { opening: /^---[ \t]*\n/, closing: /^---[ \t]*(?:\n|$)/gm };
const QUOTES = 'A value with {{ }}, a colon or a # in it stands in quotes: subject: "{{name}}: …"';

/** Splits a template and checks its front matter; `text` has `\n` line ends. Every problem is reported, none thrown. */
export function readFrontMatter(text: string, file: string): FrontMatter {
  const nothing = { fields: {}, body: "", bodyLine: 1, lint: new Map(), problems: [] };
  const read = frontMatterOf(file, text, MARKS);
  if (read === null) return { ...nothing, body: text };
  const { source, end } = read;
  if (end === null) {
    const message = "The front matter never ends.";
    const hint = "Close it with a line of three dashes: ---";
    return { ...nothing, problems: [{ code: "template/front-matter", message, hint, file, line: 1, column: 1 }] };
  }
  const place = { body: text.slice(end), bodyLine: text.slice(0, end).split("\n").length + (text[end - 1] === "\n" ? 0 : 1) };
  if (source === null || read.problems.length > 0) return { ...nothing, ...place, problems: read.problems.map(inYaml) };
  const { fields, problems } = fieldsOf(source, text.split("\n"));
  const { lint, problems: wrong } = problems.length > 0 ? NOTHING_SILENCED : readSilences(source);
  return { fields, lint, problems: [...problems, ...wrong], ...place };
}

function inYaml({ message, hint, ...problem }: Problem): Problem {
  const way = hint === undefined ? QUOTES : `${hint.charAt(0).toUpperCase()}${hint.slice(1)}.`;
  return { ...problem, code: "template/front-matter", message: `The front matter is not valid YAML: ${message.replace(/^broken YAML: /, "")}.`, hint: way };
}

const SILENCED = z.looseObject({ lint: silences.default({}) });
const NOTHING_SILENCED = { lint: new Map(), problems: [] };

/** `lint:`, in the same words as in segments and opportune.yml. */
function readSilences(source: YamlSource): { lint: Silences; problems: Problem[] } {
  if (valueAt(source.value, ["lint"]) === undefined) return NOTHING_SILENCED;
  const { data, problems } = validate(SILENCED, source);
  return { lint: data === null ? new Map() : buildSilences(data.lint, source), problems };
}

function fieldsOf(source: YamlSource, lines: readonly string[]): Pick<FrontMatter, "fields" | "problems"> {
  const { file, value: written } = source;
  const fields: FrontMatter["fields"] = {};
  const problems: Problem[] = [];
  if (written === null) return { fields, problems };
  if (typeof written !== "object" || Array.isArray(written)) {
    const message = "The front matter must be a list of key: value.";
    return { fields, problems: [{ code: "template/front-matter", message, hint: `Keys: ${KEYS.join(", ")}.`, file, ...source.place([]) }] };
  }
  for (const [key, value] of Object.entries(written)) {
    const known = FIELDS.find((name) => name === key);
    if (key === "lint") continue;
    if (key === "topic") {
      problems.push({
        code: "template/topic",
        message: "A template has no topic: users opt out of the topic of its segment.",
        hint: "Write topic: in the front matter of each segment that uses the template, and leave it out here.",
        file,
        ...source.place([key], "key"),
      });
    } else if (known === undefined) {
      problems.push({
        code: "template/unknown-key",
        message: `Unknown key "${key}".`,
        hint: didYouMean(nearestName(key, KEYS)) ?? `Keys: ${KEYS.join(", ")}.`,
        file,
        ...source.place([key], "key"),
      });
    } else if (typeof value !== "string" || value.trim() === "") {
      const isValue = value === null || typeof value !== "object";
      problems.push({
        code: "template/front-matter",
        message: `"${key}" must be a text that is not empty.`,
        hint: `${key}: "…" (with quotes when it begins with {{)`,
        file,
        ...source.place([key], isValue ? "value" : "key"),
      });
    } else fields[known] = { value, start: startOf(value, lines, file, source.place([key])) };
  }
  return { fields, problems };
}

/** Columns inside a value are known when it is written in one line without escapes. */
function startOf(value: string, lines: readonly string[], file: string, { line, column }: Place): Start {
  const rest = (lines[line - 1] ?? "").slice(column - 1);
  const quote = /^["']/.exec(rest)?.[0] ?? "";
  const exact = rest.startsWith(`${quote}${value}${quote}`);
  return { file, line, column: column - 1 + (exact ? quote.length : 0), exact };
}
