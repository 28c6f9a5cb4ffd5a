/** The words of a SQL template. */

export interface Token {
  text: string;
  /** Offsets of its first character and of the one after its last. */
  start: number;
  end: number;
  /** How many brackets, CASEs and tables are open around it; an opening and a closing word stand at the depth of their content. */
  depth: number;
  /** The innermost `(` or `case` that is open, by index; -1: none. */
  opener: number;
  /** Of a `case`: it compares one value with each WHEN. */
  simple: boolean;
}

/** Handlebars expressions, literals, words and numbers, operators of two characters, and any other one. */
const TOKEN = /--[^\n]*|\{\{\{?[^]*?\}?\}\}|'(?:[^']|'')*'|[A-Za-z_][\w.]*\*?|\d+|<>|<=|>=|\|\||\S/g;

const TABLE = "{{#table ";
/** What closes something, and how that begins. */
const CLOSES: Readonly<Record<string, string>> = { ")": "(", end: "case", "{{/table}}": TABLE };

/** Every word but comments. Throws where a bracket, CASE or table is not closed. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const open: number[] = [];
  for (const { 0: word, index } of text.matchAll(TOKEN)) {
    if (word.startsWith("--")) continue;
    const opens = word === "(" || word === "case" || word.startsWith(TABLE);
    const depth = open.length + (opens ? 1 : 0);
    tokens.push({ text: word, start: index, end: index + word.length, depth, opener: open.at(-1) ?? -1, simple: false });
    const last = tokens.at(-2);
    if (last?.text === "case" && word !== "when") last.simple = true;
    if (opens) open.push(tokens.length - 1);
    const closes = CLOSES[word];
    if (closes !== undefined) {
      const opened = tokens[open.pop() ?? -1]?.text;
      if (opened?.startsWith(closes) !== true) throw new Error(`The "${word}" at offset ${String(index)} closes nothing.`);
    }
  }
  if (open.length > 0) throw new Error(`The "${tokens[open[0] ?? 0]?.text ?? ""}" at offset ${String(tokens[open[0] ?? 0]?.start)} is not closed.`);
  return tokens;
}

/** The index of the bracket that closes the one at this index. */
export function closingOf(tokens: readonly Token[], at: number): number {
  return tokens.findIndex((token, i) => i > at && token.text === ")" && token.opener === at);
}
