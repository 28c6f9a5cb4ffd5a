/** What a warehouse quotes of people's data as it refuses a statement, taken out before anybody sees or keeps it. */
import { withoutAddresses } from "./redact.js";
import { WAREHOUSE_WORDS } from "./warehouse-words.js";

const VALUE = "[value]";

/** Complaints about a statement's words, made before any row is read: what they quote are names. */
const OF_NAMES = /^(?:Binder|Catalog|Parser) Error:/;

/**
 * DuckDB's complaints about a row, by their class, which `error()` in a query can't choose: all but those about the machine, the
 * connection and transactions. A row may stand in them anywhere, without quotes.
 */
const OF_ROWS =
  /^(?!(?:IO|Out of Memory|Transaction|TransactionContext|Connection|HTTP|Permission|Interrupt|INTERRUPT|INTERNAL|Internal|FATAL|Fatal|Dependency|Missing Extension|Extension|Autoload Extension|Invalid Configuration|Settings) Error:)[A-Z][A-Za-z ]{1,60} Error: /;

/** What a name that follows is the name of, in the words of the four warehouses. */
const NAMED_BEFORE =
  /\b(?:column|table|type|relation|constraint|function|schema|view|role|database|index|sequence|operator|property|key|extension|dataset|object|identifier|mean)\s*$/i;
/** Files are of the machine, and what to look at first where a disk is full. */
const FILE_BEFORE = /\bfiles?\s*$/i;
const PATH = /^[\p{L}\p{N}_./\\:~ -]+$/u;
const NAME = /^[\p{L}_][\p{L}\p{N}_$.-]*$/u;
/** A type, or the pattern of a date. */
const TYPE =
  /^(?:(?:u?(?:tiny|small|big|huge)?int(?:eger)?|int\d+|float\d*|double(?: precision)?|real|numeric|decimal|number|fixed|(?:var)?char|text|string|bool(?:ean)?|date(?:time)?|time(?:stamp)?(?:_?n?l?tz)?|interval|jsonb?|uuid|bytea|bytes|blob|variant|object|array|struct|list|map)(?:\(\d+(?:, ?\d+)?\))?(?:\[\])?|(?:%[a-z-]|[\s:./T-])+)$/i;

/** A quoted piece begins after a space or a sign and ends before one: an apostrophe within a word is neither. */
const QUOTED = [
  { mark: "'", piece: /(?<![\p{L}\p{N}])'(.*?)'(?![\p{L}\p{N}])/gsu },
  { mark: '"', piece: /(?<![\p{L}\p{N}\\])"(.*?)(?<!\\)"(?![\p{L}\p{N}])/gsu },
  { mark: "`", piece: /`(.*?)`/gsu },
  // Postgres: Key (email)=(…) already exists.
  { mark: ")", piece: /(?<==)\((.*?)\)(?= |$)/gsu },
];

/** A mark that stands for a value, a piece in quotes, or a word. */
const PIECE = /\[(?:value|address)\]|(?<![\p{L}\p{N}])(?:"[^"]*"|'[^']*'|`[^`]*`)(?![\p{L}\p{N}])|[\p{L}\p{M}\p{N}_]+(?:[-.'’@][\p{L}\p{M}\p{N}_]+)*/gu;

/** Characters of an error that is read as a whole; warehouses quote values of megabytes. */
const LONGEST = 4_000;
/** Characters before and after a long value that are kept. */
const LONGEST_PART = 1_000;

/** Amounts that help: bytes, seconds, rows of a limit. */
const AMOUNTS = /\b(?:bytes?|[KMGT]i?B|seconds?|ms|limit|port)\b/i;
/** Values that stand without quotes at the end: `Bad double value: Ada Lovelace`. */
const AT_THE_END = /^(.*\b(?:value|input|string|literal|date|timestamp|number|last read|key)\s*:\s+)(\S.*)$/isu;

/**
 * A warehouse's error without the values that it quotes: each becomes `[value]`, addresses `[address]`. What the statement says
 * itself stays, as do types and the names of tables, columns and functions.
 * @param statement what was refused; its bound values are not in it
 */
export function withoutValues(error: string, statement: string): string {
  if (OF_NAMES.test(error)) return withoutAddresses(error);
  return OF_ROWS.test(error) ? withoutFreeText(error, statement) : withoutQuotedValues(error, statement);
}

/**
 * As withoutValues, for errors whose whole text may be a row's: of `error()` and `raise` in a query, of regular expressions. Of
 * it stay the words that warehouses use themselves and what stands in the statement.
 */
export function withoutFreeText(error: string, statement: string): string {
  const text = withoutQuotedValues(error, statement);
  const kind = OF_ROWS.exec(text)?.[0] ?? "";
  const said = statement.toLowerCase();
  const isKept = (piece: string): boolean => TYPE.test(piece) || contains(said, piece.toLowerCase());
  const isOwn = (word: string): boolean => /^(?:\d{1,3}|u?int\d+)$/i.test(word) || WAREHOUSE_WORDS.has(word.toLowerCase().replace("’", "'")) || isKept(word);
  const shown = text.slice(kind.length).replace(PIECE, (piece) => {
    if (piece.startsWith("[")) return piece;
    return (/^["'`]/.test(piece) ? isKept(piece.slice(1, -1).trim()) : isOwn(piece)) ? piece : VALUE;
  });
  return kind + shown.replace(/\[value\](?:[^\p{L}\p{N}[\]"'`]*\[value\])+/gu, VALUE);
}

function withoutQuotedValues(error: string, statement: string): string {
  if (error.length > LONGEST) return withoutQuotedValues(withoutLongValue(error), statement);
  const said = statement.toLowerCase();
  const isSaid = (piece: string): boolean => piece.trim() === "" || contains(said, piece.trim().toLowerCase());
  // A number may be part of an address.
  let text = withoutAddresses(error);
  for (const { mark, piece } of QUOTED) text = withoutQuoted(text, mark, piece, isSaid);
  text = text.replace(AT_THE_END, (whole, before: string, rest: string) =>
    rest.startsWith(VALUE) || isSaid(rest.replace(/^["'`]|["'`]?\.?$/g, "")) ? whole : `${before}${VALUE}`,
  );
  if (AMOUNTS.test(text)) return text;
  return text.replace(/(?<![\p{L}\p{N}_.:/-])-?\d[\d.]{4,}(?![\p{L}\p{N}_-])/gu, (number) => (isSaid(number) ? number : VALUE));
}

/**
 * An error that quotes a long value, without all that stands between its first and its last quote. What follows a colon may be a
 * value without quotes, of which nothing is kept.
 */
function withoutLongValue(error: string): string {
  const [kind = ""] = /^[A-Za-z ]{1,60} Error: /.exec(error) ?? [];
  const first = error.search(/['"`]|=\(/);
  const head = error.slice(kind.length, first < 0 ? kind.length + LONGEST_PART : first);
  const colon = head.indexOf(": ");
  if (colon >= 0) return `${kind}${head.slice(0, Math.min(colon, LONGEST_PART))}: ${VALUE}`;
  const tail = first < 0 ? "" : error.slice(Math.max(...QUOTED.map(({ mark }) => error.lastIndexOf(mark))) + 1);
  return `${kind}${first < 0 || head.length > LONGEST_PART ? "" : head}${VALUE}${tail.length > LONGEST_PART ? "" : tail}`;
}

/** From the first piece that nobody may see to the end of the last: a value may hold quotes itself, and leave one over. */
function withoutQuoted(text: string, mark: string, pattern: RegExp, isSaid: (piece: string) => boolean): string {
  const hidden = [...text.matchAll(pattern)].filter(({ index, 1: piece = "" }) => {
    const before = text.slice(0, index);
    const named = (NAMED_BEFORE.test(before) && NAME.test(piece)) || (FILE_BEFORE.test(before) && PATH.test(piece));
    return !(named || TYPE.test(piece) || isSaid(piece) || piece.startsWith(VALUE));
  });
  const [first, last] = [hidden[0], hidden.at(-1)];
  if (first === undefined || last === undefined) return text;
  const rest = text.slice(last.index + last[0].length);
  const isOdd = rest.split(mark).length % 2 === 0;
  return `${text.slice(0, first.index)}${VALUE}${isOdd ? rest.slice(rest.lastIndexOf(mark) + 1) : rest}`;
}

/** Whether the statement holds that piece as whole words; of a name with dots its last part is enough. */
function contains(statement: string, piece: string): boolean {
  const escaped = piece.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");
  if (new RegExp(`(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])`, "u").test(statement)) return true;
  const last = NAME.test(piece) ? piece.split(".").at(-1) : piece;
  return last !== piece && last !== undefined && contains(statement, last);
}
