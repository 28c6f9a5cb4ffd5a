/** Whether a segment's SQL asks for a stretch of time, found without a SQL parser: in every dialect, and with Handlebars inside. */
import { sqlTokens } from "../written/sql-tokens.js";

const TOKENS = /\{\{[^}]*\}\}|<=|>=|<>|!=|[<>=()]|[A-Za-z_][\w$]*|\d+/g;

const CLAUSES: ReadonlySet<string> = new Set(
  "with select from join on using where group having qualify window order limit union intersect except values".split(" "),
);
/** Where a condition decides which rows there are. */
const CONDITIONS: ReadonlySet<string> = new Set(["on", "where", "having", "qualify"]);

/**
 * `bound`: some condition has an earliest time, or one whose direction can't be told. `open`: each sets a latest time alone
 * (`at`: offset of the first). `none`: `{{ago}}` and `{{as_of}}` stand in no condition.
 */
export type TimeBound = { kind: "bound" } | { kind: "open"; at: number } | { kind: "none" };

export function timeBound(sql: string): TimeBound {
  const tokens = [...bare(sql).matchAll(TOKENS)];
  const isTime = (token: string): boolean => /^\{\{\{?~?\s*(?:ago|as_of)\b/.test(token);
  // A subquery among the columns bounds what is shown, not who is returned.
  const open = [{ clause: "", idle: false }];
  let latest: number | null = null;
  for (const [index, match] of tokens.entries()) {
    const [token] = match;
    const top = open.at(-1) ?? { clause: "", idle: false };
    const word = token.toLowerCase();
    if (token === "(") open.push({ clause: "", idle: top.idle || top.clause === "select" });
    else if (token === ")") open.pop();
    else if (CLAUSES.has(word)) top.clause = word;
    else if (isTime(token) && !top.idle && open.some(({ clause }) => CONDITIONS.has(clause))) {
      const before = tokens[index - 1]?.[0] ?? "";
      const after = tokens[index + 1]?.[0] ?? "";
      if (!/^<=?$/.test(before) && !/^>=?$/.test(after)) return { kind: "bound" };
      latest ??= match.index;
    }
  }
  return latest === null ? { kind: "none" } : { kind: "open", at: latest };
}

/** With blanks for all comments and what stands in quotes, so that offsets stay. */
function bare(sql: string): string {
  return sqlTokens(sql).reduceRight((text, { from, to }) => text.slice(0, from) + " ".repeat(to - from) + text.slice(to), sql);
}
