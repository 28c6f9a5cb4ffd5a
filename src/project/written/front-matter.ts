/** Segments and audiences: read, checked one by one, and named. */
import type * as z from "zod";
import type { Problem } from "../../core/errors.js";
import { NAME, NAME_PATTERN, nearestAllowedName } from "../schema/fields.js";
import { readSqlFile, type FrontMatterFile } from "./files.js";
import { validate, valueAt } from "../schema/problems.js";
import { checkSegmentRules } from "../schema/rules.js";
import { audienceSchema, segmentSchema, type AudienceFrontMatter, type SegmentFrontMatter } from "../schema/segment-schema.js";
import type { YamlSource } from "./yaml-source.js";

const AUDIENCES = "segments/audiences/";

/** A SQL file, known by name even where its front matter is wrong, so that others may still refer to it. */
interface Named<T> {
  name: string;
  file: FrontMatterFile;
  source: YamlSource | null;
  /** Null where anything is wrong with it. */
  data: T | null;
}

interface ReadFiles<T> {
  items: Named<T>[];
  problems: Problem[];
}

/** The segments among the SQL files under segments/: all but the audiences. */
export function readSegments(root: string, files: readonly string[]): ReadFiles<SegmentFrontMatter> {
  const segments = files.filter((file) => !file.startsWith(AUDIENCES));
  return readAll(root, segments, { schema: segmentSchema, what: "segment", nameKey: "id", required: true, check: checkSegmentRules });
}

/** The audiences among them; their front matter may be missing. */
export function readAudiences(root: string, files: readonly string[]): ReadFiles<AudienceFrontMatter> {
  const audiences = files.filter((file) => file.startsWith(AUDIENCES));
  return readAll(root, audiences, { schema: audienceSchema, what: "audience", nameKey: "name", required: false, check: () => [] });
}

interface KindOfFile<S extends z.ZodType> {
  schema: S;
  what: string;
  /** The key that overrides the file's name. */
  nameKey: string;
  /** Whether front matter must be there. */
  required: boolean;
  check: (data: z.output<S>, source: YamlSource) => Problem[];
}

function readAll<S extends z.ZodType>(root: string, files: readonly string[], kind: KindOfFile<S>): ReadFiles<z.output<S>> {
  const problems: Problem[] = [];
  const firstOf = new Map<string, string>();
  const items = files.map((path): Named<z.output<S>> => {
    const { sqlFile: file, problems: unreadable } = readSqlFile(root, path);
    const source = file.frontMatter ?? emptySource(path);
    const checked = validate(kind.schema, source, { value: source.value ?? {} });
    const given = valueAt(source.value, [kind.nameKey]);
    const name = typeof given === "string" ? given : file.base;
    const found = [...unreadable];
    if (file.frontMatter === null && unreadable.length === 0 && kind.required) found.push(noFrontMatter(kind.what, path));
    else if (file.frontMatter !== null) {
      found.push(...checked.problems, ...(checked.data === null ? [] : kind.check(checked.data, source)));
    }
    if (given === undefined && !NAME_PATTERN.test(name)) found.push(unfitFileName(kind, name, path));
    const first = firstOf.get(name);
    if (first === undefined) firstOf.set(name, path);
    else {
      const message = `the ${kind.what} "${name}" is already in ${first}`;
      const hint = `give one of them another ${kind.nameKey}:`;
      found.push({ code: `config/duplicate-${kind.what}`, message, hint, file: path, ...source.place([kind.nameKey]) });
    }
    problems.push(...found);
    return { name, file, source: file.frontMatter, data: found.length === 0 ? checked.data : null };
  });
  return { items, problems };
}

function emptySource(file: string): YamlSource {
  return { file, value: {}, place: () => ({ line: 1, column: 1 }), written: () => undefined, places: () => new Map() };
}

function noFrontMatter(what: string, file: string): Problem {
  const message = `the ${what} has no front matter, which says what to send`;
  return {
    code: "config/front-matter",
    message,
    hint: "begin the file with /*--- and end its YAML with ---*/",
    file,
    line: 1,
    column: 1,
  };
}

function unfitFileName(kind: { what: string; nameKey: string }, name: string, file: string): Problem {
  const tidy = nearestAllowedName(name);
  return {
    code: "config/name",
    message: `the file's name makes the ${kind.what}'s ${kind.nameKey} "${name}"; expected ${NAME}`,
    hint: `rename the file, or write ${kind.nameKey}:${tidy === undefined ? "" : ` ${tidy}`} into its front matter`,
    file,
    line: 1,
    column: 1,
  };
}
