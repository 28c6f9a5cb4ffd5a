/** The YAML between `---` lines at the top of a template. */
import { isMap, isScalar, LineCounter, parseDocument, type Pair, type Scalar } from "yaml";
import * as z from "zod";
import type { Problem } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import { buildSilences, silences, type Silences } from "../../project/schema/lint-rules.js";
import { validate, valueAt } from "../../project/schema/problems.js";
import { parseYaml } from "../../project/written/yaml-source.js";
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

/** Splits a template and checks its front matter; `text` has `\n` line ends. Every problem is reported, none thrown. */
export function readFrontMatter(text: string, file: string): FrontMatter {
  const open = /^---[ \t]*\n/.exec(text);
  if (open === null) return { fields: {}, body: text, bodyLine: 1, lint: new Map(), problems: [] };
  const close = /^---[ \t]*(?:\n|$)/m.exec(text.slice(open[0].length));
  if (close === null) {
    return {
      fields: {},
      body: "",
      bodyLine: 1,
      lint: new Map(),
      problems: [
        { code: "template/front-matter", message: "The front matter never ends.", hint: "Close it with a line of three dashes: ---", file, line: 1, column: 1 },
      ],
    };
  }
  const yaml = text.slice(open[0].length, open[0].length + close.index);
  const body = text.slice(open[0].length + close.index + close[0].length);
  const { fields, problems } = readYaml(yaml, file);
  const { lint, problems: wrong } = problems.length > 0 ? NOTHING_SILENCED : readSilences(text, file, open[0].length, open[0].length + close.index);
  return { fields, lint, problems: [...problems, ...wrong], body, bodyLine: yaml.split("\n").length + 2 };
}

const SILENCED = z.looseObject({ lint: silences.default({}) });
const NOTHING_SILENCED = { lint: new Map(), problems: [] };

/** `lint:`, in the same words as in segments and opportune.yml; the YAML between the offsets has been found to be valid. */
function readSilences(text: string, file: string, from: number, to: number): { lint: Silences; problems: Problem[] } {
  const { source } = parseYaml(file, text, from, to);
  if (source === null || valueAt(source.value, ["lint"]) === undefined) return NOTHING_SILENCED;
  const { data, problems } = validate(SILENCED, source);
  return { lint: data === null ? new Map() : buildSilences(data.lint, source), problems };
}

/** The YAML begins on line 2 of the file. */
const FIRST_LINE = 2;

function readYaml(yaml: string, file: string): Pick<FrontMatter, "fields" | "problems"> {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number): { file: string; line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { file, line: line + FIRST_LINE - 1, column: col };
  };
  const problems: Problem[] = document.errors.map((error) => ({
    code: "template/front-matter",
    message: `The front matter is not valid YAML: ${error.message}.`,
    hint: 'A value with {{ }}, a colon or a # in it stands in quotes: subject: "{{name}}: …"',
    ...at(error.pos[0]),
  }));
  const fields: FrontMatter["fields"] = {};
  if (problems.length > 0 || document.contents === null) return { fields, problems };
  if (!isMap(document.contents)) {
    return {
      fields,
      problems: [
        {
          code: "template/front-matter",
          message: "The front matter must be a list of key: value.",
          hint: `Keys: ${KEYS.join(", ")}.`,
          ...at(document.contents.range[0]),
        },
      ],
    };
  }
  for (const pair of document.contents.items as Pair[]) {
    const key = isScalar(pair.key) ? String(pair.key.value) : "";
    const keyPlace = at(isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0);
    const known = FIELDS.find((name) => name === key);
    if (key === "lint") continue;
    if (key === "topic") {
      problems.push({
        code: "template/topic",
        message: "A template has no topic: users opt out of the topic of its segment.",
        hint: "Write topic: in the front matter of each segment that uses the template, and leave it out here.",
        ...keyPlace,
      });
    } else if (known === undefined) {
      problems.push({
        code: "template/unknown-key",
        message: `Unknown key "${key}".`,
        hint: didYouMean(nearestName(key, KEYS)) ?? `Keys: ${KEYS.join(", ")}.`,
        ...keyPlace,
      });
    } else if (!isScalar(pair.value) || typeof pair.value.value !== "string" || pair.value.value.trim() === "") {
      problems.push({
        code: "template/front-matter",
        message: `"${key}" must be a text that is not empty.`,
        hint: `${key}: "…" (with quotes when it begins with {{)`,
        ...(isScalar(pair.value) && pair.value.range ? at(pair.value.range[0]) : keyPlace),
      });
    } else fields[known] = field(pair.value as Scalar<string>, yaml, at);
  }
  return { fields, problems };
}

/** Columns inside a value are known when it is written in one line without escapes. */
function field(scalar: Scalar<string>, yaml: string, at: (offset: number) => { file: string; line: number; column: number }): Field {
  const [from, to] = scalar.range ?? [0, 0];
  const raw = yaml.slice(from, to);
  const quoted = /^["']/.test(raw);
  const written = quoted ? raw.slice(1, -1) : raw;
  const { file, line, column } = at(from);
  const exact = written === scalar.value;
  return { value: scalar.value, start: { file, line, column: column - 1 + (quoted && exact ? 1 : 0), exact } };
}
