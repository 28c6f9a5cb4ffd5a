/** What must be told apart in SQL before anything is looked for in it. */

export interface SqlToken {
  /** Offsets; `to` is the first after it. */
  from: number;
  to: number;
  /** A comment of SQL's or Handlebars'; else a text or a name in quotes. */
  comment: boolean;
}

const TOKEN = /\{\{!--[\s\S]*?--\}\}|\{\{![^}]*\}\}|--[^\n]*|\/\*[\s\S]*?\*\/|'[^']*'|"[^"]*"/g;

/** The comments and everything in quotes, in order. */
export function sqlTokens(sql: string): SqlToken[] {
  return [...sql.matchAll(TOKEN)].map(({ index, 0: token }) => ({ from: index, to: index + token.length, comment: /^(?:--|\/\*|\{\{!)/.test(token) }));
}
