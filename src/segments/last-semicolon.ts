/** A query without the `;` at its end, as it is to stand in parentheses. */
import type { Dialect } from "../warehouse/dialect.js";

const SINGLE = String.raw`'(?:[^']|'')*'`;
/** With backslashes before what would end it. */
const ESCAPED = String.raw`'(?:[^'\\]|\\[\s\S]|'')*'`;
const DOUBLE = String.raw`"(?:[^"]|"")*"`;
const DOLLARS = String.raw`\$([A-Za-z_]\w*|)\$[\s\S]*?\$\1\$`;
const COMMENT = String.raw`--[^\n]*|/\*[\s\S]*?\*/`;

/** What is told apart in a query, by dialect: comments first. Block comments nest where `nests`. */
const WORDS: Readonly<Record<Dialect["name"], { comments: string; quoted: string; nests: boolean }>> = {
  duckdb: { comments: COMMENT, quoted: `[eE]${ESCAPED}|${SINGLE}|${DOUBLE}|${DOLLARS}`, nests: true },
  postgres: { comments: COMMENT, quoted: `[eE]${ESCAPED}|${SINGLE}|${DOUBLE}|${DOLLARS}`, nests: true },
  snowflake: { comments: String.raw`${COMMENT}|//[^\n]*`, quoted: `${ESCAPED}|${DOUBLE}|${DOLLARS}`, nests: false },
  bigquery: {
    comments: String.raw`${COMMENT}|#[^\n]*`,
    quoted: String.raw`[rR]?[bB]?'''[\s\S]*?'''|[rR]?[bB]?"""[\s\S]*?"""|${ESCAPED}|"(?:[^"\\]|\\[\s\S])*"|` + "`[^`]*`",
    nests: false,
  },
};

/**
 * The query without each `;` after which nothing but blanks, comments and further `;` come. Lines stay where they were. A
 * query of several statements stays as it is, for the warehouse to refuse.
 */
export function withoutLastSemicolon(sql: string, dialect: Dialect["name"]): string {
  const { comments, quoted, nests } = WORDS[dialect];
  const token = new RegExp(`(?<comment>${comments})|(?<quoted>${quoted})|(?<end>;)|(?<blank>\\s+)|[\\s\\S]`, "g");
  let ends: number[] = [];
  for (let found = token.exec(sql); found !== null; found = token.exec(sql)) {
    const { comment, blank, end } = found.groups ?? {};
    if (end !== undefined) ends.push(found.index);
    else if (comment === undefined && blank === undefined) ends = [];
    if (nests && comment?.startsWith("/*") === true) token.lastIndex = endOfNested(sql, found.index);
  }
  return ends.reduceRight((text, at) => text.slice(0, at) + text.slice(at + 1), sql);
}

/** The first offset after the block comment that begins at `from`, and all comments within it. */
function endOfNested(sql: string, from: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = from;
  let depth = 0;
  for (let found = edge.exec(sql); found !== null; found = edge.exec(sql)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return sql.length;
}
