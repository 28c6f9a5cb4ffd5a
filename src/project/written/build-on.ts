/** `{{audience "x"}}` in SQL: a query that builds on an audience has that audience's query there, in parentheses. */
import type { Problem } from "../../core/errors.js";
import type { FrontMatterFile } from "./files.js";
import { callsOf, sqlTokens } from "./sql-tokens.js";

/** SQL files by the name of their audience. */
export type AudienceFiles = ReadonlyMap<string, FrontMatterFile>;

/**
 * The query with the audiences it builds on written out, each on one line, so that the warehouse's line numbers stay the
 * user's. In comments the name alone takes the call's place. A call of an unknown name stays. Circles must be ruled out.
 */
export function builtOn(sql: string, audiences: AudienceFiles): string {
  let built = "";
  let end = 0;
  for (const { text: name, from, to, comment, nested } of callsOf("audience", sql)) {
    if (nested) continue;
    const audience = audiences.get(name);
    const written = audience === undefined ? sql.slice(from, to) : `(${onOneLine(builtOn(audience.sql, audiences))})`;
    built += sql.slice(end, from) + (comment ? name : written);
    end = to;
  }
  return built + sql.slice(end);
}

/** Names of the audiences that a query calls itself, in name order. */
export function audiencesIn(sql: string): string[] {
  return [...new Set(callsOf("audience", sql).flatMap(({ text, comment, nested }) => (comment || nested ? [] : [text])))].sort();
}

/** A problem for each circle of audiences, at the first of them in name order. */
export function circularAudiences(audiences: AudienceFiles): Problem[] {
  return [...audiences].flatMap(([name, file]) => {
    const way = wayBack(name, audiences);
    if (way === null || [...way].sort()[0] !== name) return [];
    const message = `the audience "${name}" builds on itself: ${[...way, name].join(" → ")}`;
    const hint = "take one of these {{audience}} out, or move what they share into an audience of its own";
    return [{ code: "config/circular-audience", message, hint, file: file.file, line: file.sqlLine, column: file.sqlColumn }];
  });
}

/** The audiences on a way from one back to itself, it being the first; null if there is none. */
function wayBack(name: string, audiences: AudienceFiles): string[] | null {
  const seen = new Set<string>();
  const search = (at: string, way: readonly string[]): string[] | null => {
    for (const next of audiencesIn(audiences.get(at)?.sql ?? "")) {
      if (seen.has(next)) continue;
      if (next === name) return [...way];
      seen.add(next);
      const found = search(next, [...way, next]);
      if (found !== null) return found;
    }
    return null;
  };
  return search(name, [name]);
}

/** Without comments, line ends outside of texts, and the semicolon at the end. */
function onOneLine(sql: string): string {
  let line = "";
  let end = 0;
  const plain = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ");
  for (const { from, to, comment } of sqlTokens(sql)) {
    line += plain(sql.slice(end, from)) + (comment ? " " : sql.slice(from, to));
    end = to;
  }
  line += plain(sql.slice(end));
  return line.trim().replace(/;$/, "").trimEnd();
}
