import { KEPT } from "./dialect.js";

/** As sql/ writes them: a CTE begins and ends at the margin. */
const CTE = /^(\w+) as +(\/\* kept \*\/ )?\((.*?)^\),?$/gms;

interface Cte {
  name: string;
  kept: boolean;
  body: string;
}

/** A statement in parts: temporary tables to be made first, in this order, and what is left of it. */
export interface Parts {
  tables: string[];
  statement: string;
}

/**
 * BigQuery works a CTE out anew for each that reads it, and those again what they read: arbitration as one statement would be
 * hundreds of thousands of subqueries, and is refused as too complex. So those that are marked as kept become temporary tables.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#cte_rules
 */
export function keptApart(sql: string): Parts {
  if (!sql.includes(KEPT)) return { tables: [], statement: sql };
  const found = [...sql.matchAll(CTE)];
  const ctes = found.map(([, name = "", kept, body = ""]) => ({ name, kept: kept !== undefined, body }));
  const last = found.at(-1);
  const query = last === undefined ? "" : sql.slice(last.index + last[0].length).trimStart();
  return {
    tables: ctes.flatMap(({ name, kept, body }, i) =>
      kept ? [`create or replace temp table ${tableOf(name)} as\n${withWhatItReads(body, ctes.slice(0, i))}`] : [],
    ),
    statement: sql.slice(0, sql.search(/^with$/m)) + withWhatItReads(query, ctes),
  };
}

function withWhatItReads(query: string, ctes: readonly Cte[]): string {
  const read = new Set(readBy(query));
  const written: string[] = [];
  for (const { name, kept, body } of ctes.toReversed()) {
    if (!read.has(name)) continue;
    written.unshift(`${name} as (${kept ? `select * from ${tableOf(name)}` : body})`);
    if (!kept) for (const each of readBy(body)) read.add(each);
  }
  return written.length === 0 ? query : `with\n${written.join(",\n")}\n${query}`;
}

/** Whatever stands after FROM or JOIN; the work tables and the ledger's are among them, and a word of a comment. */
function readBy(sql: string): string[] {
  return Array.from(sql.matchAll(/\b(?:from|join) (\w+)\b/g), ([, name = ""]) => name);
}

function tableOf(name: string): string {
  return `opportune_${name}`;
}
