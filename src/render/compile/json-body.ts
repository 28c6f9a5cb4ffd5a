/** JSON bodies: each string is a Handlebars text of its own, rendered alone and serialised afterwards, so that no value can break the JSON. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from "yaml";
import type { Problem } from "../../core/errors.js";
import { parseSource, program, type Program } from "../language/ast.js";
import type { Json } from "../types.js";

export interface JsonBody {
  /** Programs of the strings that hold Handlebars, by part name. */
  fields: Record<string, Program>;
  /** All of them in one, for checks that look at the whole body. */
  program: Program;
  /** The body with the rendered strings in place. */
  shape(parts: Readonly<Record<string, string>>): Json;
  problems: Problem[];
}

/** Whether a body is JSON: it begins with an object or a list, not with `{{`. */
export function looksLikeJson(body: string): boolean {
  return /^\s*(?:\{\s*["}]|\[\s*(?:\{(?!\{)|["\]]))/.test(body);
}

type Shape = (parts: Readonly<Record<string, string>>) => Json;

/** Reads a body that `looksLikeJson`; `line` is the 1-based line of the file on which it begins. */
export function readJsonBody(body: string, file: string, line: number): JsonBody {
  const fields: Record<string, Program> = {};
  const problems: Problem[] = [];
  try {
    JSON.parse(body);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const offset = Number(/position (\d+)/.exec(message)?.[1] ?? body.trimEnd().length);
    problems.push({
      code: "template/json",
      message: `The body is not valid JSON: ${message.replace(/ in JSON at position.*| \(line.*/s, "")}.`,
      hint: 'Handlebars stands inside strings: "total": "{{total}}".',
      file,
      line: line + body.slice(0, offset).split("\n").length - 1,
    });
    return { fields, program: together(fields, file, line), shape: () => null, problems };
  }
  const lines = new LineCounter();
  // JSON is YAML: its parser knows where each string stands.
  const document = parseDocument(body, { lineCounter: lines, schema: "json", uniqueKeys: false });
  const at = (node: Node): { line: number; column: number } => {
    const { line: row, col } = lines.linePos(node.range?.[0] ?? 0);
    return { line: row + line - 1, column: col };
  };
  const read = (node: unknown): Shape => {
    if (isMap(node)) {
      const entries = node.items.map((pair): [string, Shape] => {
        const key = isScalar(pair.key) ? String(pair.key.value) : "";
        if (key.includes("{{") && isScalar(pair.key))
          problems.push({ code: "template/json", message: `A key can't hold Handlebars: "${key}".`, hint: "Put it into the value.", file, ...at(pair.key) });
        return [key, read(pair.value)];
      });
      return (parts) => Object.fromEntries(entries.map(([key, shape]) => [key, shape(parts)]));
    }
    if (isSeq(node)) {
      const items = node.items.map(read);
      return (parts) => items.map((shape) => shape(parts));
    }
    if (!isScalar(node) || isAlias(node)) return () => null;
    const { value } = node;
    if (typeof value !== "string") return () => value as Json;
    if (!value.includes("{{")) return () => value;
    const raw = body.slice((node.range?.[0] ?? 0) + 1, (node.range?.[1] ?? 0) - 1);
    const place = at(node);
    const exact = raw === value;
    const parsed = parseSource(value, { file, line: place.line, column: place.column - (exact ? 0 : 1), exact });
    if ("problem" in parsed) {
      problems.push(parsed.problem);
      return () => null;
    }
    const name = `json${Object.keys(fields).length}`;
    fields[name] = parsed.program;
    return (parts) => parts[name] ?? "";
  };
  const shape = read(document.contents);
  return { fields, program: together(fields, file, line), shape, problems };
}

function together(fields: Readonly<Record<string, Program>>, file: string, line: number): Program {
  const at = { line, column: 0 };
  return program(
    Object.values(fields).flatMap(({ body }) => body),
    { source: file, start: at, end: at },
  );
}
