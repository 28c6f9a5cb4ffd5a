/** Functions and words that ask the warehouse's clock, in any dialect. */
import { sqlTokens } from "../written/sql-tokens.js";

/** Called with parentheses alone; a column may have the name. */
const CALLED =
  "now|getdate|sysdate|sysdatetime|systimestamp|today|get_current_time|get_current_timestamp|transaction_timestamp|statement_timestamp|clock_timestamp|timeofday|current_datetime|utc_timestamp|unix_timestamp";
/** Said without parentheses too. */
const SAID = "current_date|current_time|current_timestamp|localtime|localtimestamp|sysdate|systimestamp";
const WORD = new RegExp(`(?<![\\w.$"])(?:(?:${CALLED})\\s*\\(|(?:${SAID})\\b(?!\\s*\\.))`, "gi");

/** Each place where a query asks what time it is, outside of comments and quotes: the word, and its offset. */
export function ownClock(sql: string): { word: string; at: number }[] {
  const hidden = sqlTokens(sql);
  return [...sql.matchAll(WORD)]
    .filter(({ index, 0: word }) => !hidden.some(({ from, to }) => from <= index && index < to) && !isAlias(sql, index, word))
    .map(({ index, 0: word }) => ({ word: word.endsWith("(") ? `${word.slice(0, -1).trimEnd()}()` : word, at: index }));
}

/** `… as current_date` names a column. */
function isAlias(sql: string, at: number, word: string): boolean {
  return !word.endsWith("(") && /\bas\s+$/i.test(sql.slice(0, at));
}
