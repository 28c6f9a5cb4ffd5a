/** YAML, alone in a file or inside a SQL comment, with the place of everything in it. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type YAMLError } from "yaml";
import type { Problem } from "../../core/errors.js";

export interface Place {
  line: number;
  column: number;
}

export type Path = readonly PropertyKey[];

/** Parsed YAML: its plain value and where, in the whole file, each path of it stands (1-based). */
export interface YamlSource {
  file: string;
  value: unknown;
  /** Of the value at `path`, or of its key; where the path ends early, of the last thing that is there. */
  place(path: Path, part?: "key" | "value"): Place;
  /** The text of the scalar at `path`, as written: a number with all its digits. */
  written(path: Path): string | undefined;
  /** All paths, dotted (`steps.0.template`), with the places of their values. */
  places(): Map<string, Place>;
}

/** Turns offsets of a text into lines and columns, 1-based. */
export function lineCounterOf(text: string): LineCounter {
  const counter = new LineCounter();
  counter.addNewLine(0);
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) counter.addNewLine(at + 1);
  return counter;
}

/**
 * Parses the YAML that stands in `text` from `start` to `end` (offsets; the whole text if not given). Without a source the
 * problems say why. Messages never quote the text, which may hold secrets, except for keys.
 */
export function parseYaml(file: string, text: string, start = 0, end = text.length): { source: YamlSource | null; problems: Problem[] } {
  const yaml = text.slice(start, end);
  const document = parseDocument(yaml, { prettyErrors: false, stringKeys: true });
  const counter = lineCounterOf(text);
  const placeOf = (offset: number): Place => {
    const { line, col } = counter.linePos(start + offset);
    return { line, column: col };
  };
  const problem = (offset: number, message: string, hint?: string): Problem => ({
    code: "config/yaml",
    message,
    ...(hint === undefined ? {} : { hint }),
    file,
    ...placeOf(offset),
  });

  const problems: Problem[] = [];
  let readable = true;
  const isOdd = (error: YAMLError): boolean => error.code === "NON_STRING_KEY";
  const errors = [...document.errors, ...document.warnings];
  // A key that is no text may come of the slip that another error tells.
  for (const error of [...errors.filter((each) => !isOdd(each)), ...errors.filter(isOdd)]) {
    if (error.code === "DUPLICATE_KEY") {
      const key = /^[^\s:]+/.exec(yaml.slice(error.pos[0]))?.[0] ?? "";
      problems.push(problem(error.pos[0], `the key ${key} stands twice`, "keep one of the two"));
    } else if (readable) {
      // One slip makes a row of follow-up errors: the first is the one to mend.
      readable = false;
      problems.push(problem(error.pos[0], `broken YAML: ${messageOf(error)}`, hintOf(error)));
    }
  }
  visit(document, {
    Alias(_key, node) {
      if (node.resolve(document) !== undefined || !readable) return;
      readable = false;
      problems.push(problem(node.range?.[0] ?? 0, `broken YAML: the alias *${node.source} has no anchor &${node.source}`));
    },
  });
  if (!readable) return { source: null, problems };
  let value: unknown;
  try {
    value = document.toJS();
  } catch {
    // What is left after the checks above: aliases nested so deep that they would fill the memory.
    return { source: null, problems: [...problems, problem(0, "broken YAML: too many aliases inside each other")] };
  }
  return { source: sourceOf(file, document, value, placeOf), problems };
}

/** What front matter stands between at the top of a file. */
export interface Marks {
  opening: RegExp;
  /** Global: searched from the opening on. */
  closing: RegExp;
}

/** Front matter and where, as an offset, the text after it begins. Without an end (`end` is null) nothing is read. */
export interface ReadFrontMatter {
  source: YamlSource | null;
  /** The offset after the opening and after the closing mark. */
  opened: number;
  end: number | null;
  problems: Problem[];
}

/** Reads the front matter of a text; null where it has none. */
export function frontMatterOf(file: string, text: string, { opening, closing }: Marks): ReadFrontMatter | null {
  const opened = opening.exec(text)?.[0].length;
  if (opened === undefined) return null;
  closing.lastIndex = opened;
  const close = closing.exec(text);
  if (close === null) return { source: null, opened, end: null, problems: [] };
  return { ...parseYaml(file, text, opened, close.index), opened, end: close.index + close[0].length };
}

function sourceOf(file: string, document: Document, value: unknown, placeOf: (offset: number) => Place): YamlSource {
  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  const offsetOf = (node: unknown): number | undefined =>
    node !== null && typeof node === "object" && "range" in node ? (node.range as [number] | null | undefined)?.[0] : undefined;
  const rootOffset = offsetOf(document.contents) ?? 0;

  const place = (path: Path, part: "key" | "value" = "value"): Place => {
    let node: unknown = document.contents;
    let offset = rootOffset;
    for (const [depth, name] of path.entries()) {
      const parent = resolved(node);
      let key: unknown;
      if (isMap(parent)) {
        const pair = parent.items.find((item) => keyText(item.key) === String(name));
        key = pair?.key;
        node = pair?.value;
      } else {
        node = isSeq(parent) ? parent.items[Number(name)] : undefined;
      }
      if (node === undefined && key === undefined) break;
      const keyWanted = part === "key" && depth === path.length - 1;
      offset = (keyWanted ? offsetOf(key) : undefined) ?? offsetOf(node) ?? offsetOf(key) ?? offset;
    }
    return placeOf(offset);
  };

  const places = (): Map<string, Place> => {
    const all = new Map<string, Place>();
    const walk = (current: unknown, path: readonly string[]): void => {
      all.set(path.join("."), place(path));
      if (current === null || typeof current !== "object") return;
      for (const [name, child] of Object.entries(current)) walk(child, [...path, name]);
    };
    walk(value, []);
    return all;
  };
  const written = (path: Path): string | undefined => {
    const node = resolved(path.reduce<unknown>((at, name) => childOf(resolved(at), name), document.contents));
    return isScalar(node) ? node.source : undefined;
  };
  return { file, value, place, written, places };
}

function childOf(node: unknown, name: PropertyKey): unknown {
  if (isMap(node)) return node.items.find((item) => keyText(item.key) === String(name))?.value;
  return isSeq(node) ? node.items[Number(name)] : undefined;
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function messageOf(error: YAMLError): string {
  if (error.code === "MULTIPLE_DOCS") return "a line --- begins a second document";
  // These quote the text after a colon.
  if (error.code === "UNEXPECTED_TOKEN") return error.message.replace(/: .*$/s, "");
  if (error.message.includes("call stack")) return "it is nested too deeply";
  return error.message;
}

function hintOf(error: YAMLError): string | undefined {
  if (error.code === "BLOCK_AS_IMPLICIT_KEY" || error.code === "BAD_SCALAR_START") return "put the text into quotes";
  if (error.code === "TAB_AS_INDENT") return "indent with spaces";
  return undefined;
}
