/** The one Handlebars of the renderer: its helpers, and how a tree becomes a function. Handlebars' own `log` and `lookup` are off. */
import Handlebars from "handlebars";
import type { Loc, Program } from "./ast.js";
import { escapeHtml } from "../../core/escape-html.js";
import { directionOf } from "../../core/locales.js";
import { ExactNumber } from "./exact.js";
import { CURRENCY_OF, HELPERS, kindOfValue, truthy } from "./helpers.js";
import { refusal, withUtm } from "../html/links.js";
import { htmlToPlain } from "../html/plain.js";
import { RenderFault, type Settings } from "../types.js";
import { writtenHtml } from "../html/value-html.js";

/** What helpers find in `options.data`; the parts are filled in by `__part` while the template runs. */
interface Frame {
  root: Readonly<Record<string, unknown>>;
  settings: Settings;
  parts: Record<string, string>;
  /** The reader's language and direction of writing, for `<html>`. */
  lang: string;
  dir: "ltr" | "rtl";
  /** Set by the part of that name, for `{{@preheader}}` in the body. */
  preheader?: string;
}

interface Options {
  fn(context: unknown): string;
  inverse(context: unknown): string;
  hash: Readonly<Record<string, unknown>>;
  data: Frame;
  loc: Loc;
}

const handlebars = Handlebars.create();
for (const name of ["log", "lookup"]) handlebars.unregisterHelper(name);

/** Runs a step and gives its fault the place of the template in front. */
function at<T>(loc: Loc, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RenderFault) || error.message.startsWith(loc.source)) throw error;
    throw new RenderFault(`${whereIs(loc)}: ${error.message}`);
  }
}

const whereIs = (loc: Loc): string => `${loc.source}:${loc.start.line}:${loc.start.column + 1}`;

for (const [name, spec] of Object.entries(HELPERS)) {
  handlebars.registerHelper(name, (...all: unknown[]) => {
    const options = all.pop() as Options;
    return at(options.loc, () => spec.run(all, options.data.settings, options.hash));
  });
}

const builtInEach = handlebars.helpers["each"];

/** Handlebars' own blocks, but for what they take for a no, and for what they go through in silence. */
const BLOCKS = {
  if(this: unknown, value: unknown, { fn, inverse }: Options): string {
    return truthy(value) ? fn(this) : inverse(this);
  },
  unless(this: unknown, value: unknown, { fn, inverse }: Options): string {
    return truthy(value) ? inverse(this) : fn(this);
  },
  each(this: unknown, value: unknown, options: Options): unknown {
    if (value !== null && value !== undefined && (typeof value !== "object" || value instanceof ExactNumber)) {
      const way = typeof value === "string" ? "; cast it to json in the query" : "";
      throw new RenderFault(`${whereIs(options.loc)}: each: ${kindOfValue(value)} is not a list${way}`);
    }
    return builtInEach?.call(this, value, options);
  },
};
for (const [name, helper] of Object.entries(BLOCKS)) handlebars.registerHelper(name, helper as Handlebars.HelperDelegate);

/** Half a Unicode character: written out, it would become U+FFFD. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Nothing prints null, a list or an object: the one place where strictness lives. */
function printable(value: unknown, name: string, loc: Loc): string {
  if (typeof value === "string") {
    if (LONE_SURROGATE.test(value)) throw new RenderFault(`${whereIs(loc)}: "${name}" holds half a Unicode character`);
    return value;
  }
  if (value === null || value === undefined) throw new RenderFault(`${whereIs(loc)}: "${name}" is ${value === null ? "null" : "missing"}`);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof ExactNumber) return value.toString();
  if (typeof value === "object")
    throw new RenderFault(`${whereIs(loc)}: "${name}" is ${Array.isArray(value) ? "a list; use {{#each}} or {{join}}" : "an object; name one of its fields"}`);
  if (typeof value === "function" || typeof value === "symbol") throw new RenderFault(`${whereIs(loc)}: "${name}" is not a value`);
  return String(value);
}

/** The renderer's own helpers; templates can't name them, since checkProgram knows only the table and the blocks. */
const OWN = {
  __value: (value: unknown, name: string, { loc }: Options) => printable(value, name, loc),
  __css: (value: unknown, name: string, { loc }: Options) => at(loc, () => cssValue(printable(value, name, loc), name)),
  __html: (value: unknown, name: string, parent: string, { loc, data }: Options) =>
    at(loc, () => writtenHtml(printable(value, name, loc), name, parent, data.settings)),
  __htmlText: (value: unknown, name: string, parent: string, { loc, data }: Options) =>
    at(loc, () => htmlToPlain(writtenHtml(printable(value, name, loc), name, parent, data.settings))),
  __link(this: unknown, attribute: string, clickable: boolean, { fn, data, loc }: Options): string {
    return escapeHtml(linked(fn(this), attribute, clickable, data.settings, loc));
  },
  __url(this: unknown, attribute: string, clickable: boolean, { fn, data, loc }: Options): string {
    return linked(fn(this), attribute, clickable, data.settings, loc);
  },
  __partial(this: unknown, ...all: unknown[]): string {
    const { fn, hash } = all.pop() as Options;
    const context = all.length === 0 ? this : all[0];
    return fn(typeof context === "object" && !(context instanceof ExactNumber) ? laidOver(context, hash) : context);
  },
  __part(this: unknown, name: string, { fn, data }: Options): string {
    const text = fn(this);
    data.parts[name] = text;
    if (name === "preheader") data.preheader = oneLine(text);
    return "";
  },
};
for (const [name, helper] of Object.entries(OWN)) handlebars.registerHelper(name, helper as Handlebars.HelperDelegate);

/** What a value may be in CSS: a colour, a size, a name of a font; not a further declaration, rule or picture. */
function cssValue(value: string, name: string): string {
  if (/^[\p{L}\p{N}\s#%.,+\-_()/!]*$/u.test(value) && !/(?:url|image|image-set|src|expression)\s*\(|\/\*/i.test(value)) return value;
  throw new RenderFault(`"${name}" stands in CSS and is not a value such as #1d4ed8, 12px or rgb(0 0 0)`);
}

function linked(url: string, attribute: string, clickable: boolean, settings: Settings, loc: Loc): string {
  const reason = /^https?:\/\/[\x21-\x7e]*$/.test(url) && !attribute.endsWith("set") ? null : refusal(url, attribute);
  if (reason !== null) throw new RenderFault(`${whereIs(loc)}: ${reason}`);
  return clickable ? withUtm(url, settings) : url;
}

/** A copy with a partial's arguments on top; by a loop, since spreading rows takes a hundred times as long. */
function laidOver(context: object | null, hash: Options["hash"]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const source of [context ?? {}, hash] as Readonly<Record<string, unknown>>[]) {
    for (const name of Object.keys(source)) if (name !== "__proto__") result[name] = source[name];
  }
  return result;
}

const CONTROLS = new RegExp("[\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]+", "g");

/** For everything that can become a header: each run of control characters, line separators included, becomes one space. */
export function oneLine(text: string): string {
  return text.replace(CONTROLS, " ").trim();
}

const knownHelpers = Object.fromEntries([...Object.keys(HELPERS), ...Object.keys(OWN), ...Object.keys(BLOCKS), "with"].map((name) => [name, true]));

/**
 * Handlebars prepares a top-level call by wrapping every helper anew, and copies the options of each helper call: a fifth of the time
 * a mail took (14,500 a second instead of 18,000). Called as a partial it takes what is given here as it is. `protoAccessControl`
 * is what it makes of `allowProto…ByDefault: false`: nothing inherited is ever read.
 */
const PREPARED = {
  partial: true,
  helpers: handlebars.helpers,
  partials: {},
  decorators: {},
  hooks: {},
  protoAccessControl: { properties: { whitelist: {}, defaultValue: false }, methods: { whitelist: {}, defaultValue: false } },
};

/** A compiled tree. Throws RenderFault, or what Handlebars throws. */
export type Compiled = (data: Readonly<Record<string, unknown>>, settings: Settings) => { text: string; parts: Readonly<Record<string, string>> };

/** Writes into each call of `money` from which column its currency comes: its fault names the column, and never the value. */
class NamedCurrencies extends Handlebars.Visitor {
  override MustacheStatement(node: hbs.AST.MustacheStatement): void {
    this.#name(node);
    super.MustacheStatement(node);
  }

  override SubExpression(node: hbs.AST.SubExpression): void {
    this.#name(node);
    super.SubExpression(node);
  }

  #name(node: hbs.AST.MustacheStatement | hbs.AST.SubExpression): void {
    const [, currency] = node.params;
    if ((node.path as hbs.AST.PathExpression).original !== "money" || currency?.type !== "PathExpression") return;
    const { loc } = currency;
    const { original } = currency as hbs.AST.PathExpression;
    const value: hbs.AST.StringLiteral = { type: "StringLiteral", value: original, original, loc };
    node.hash = { type: "Hash", pairs: [{ type: "HashPair", key: CURRENCY_OF, value, loc }], loc };
  }
}

/** Compiles a tree that checkProgram has passed. */
export function compile(program: Program): Compiled {
  new NamedCurrencies().accept(program);
  const run = handlebars.compile<Readonly<Record<string, unknown>>>(program, { knownHelpers, knownHelpersOnly: true, preventIndent: true });
  return (root, settings) => {
    const data: Frame = { root, settings, parts: {}, lang: settings.locale, dir: directionOf(settings.locale) };
    return { text: run(root, { ...PREPARED, data }), parts: data.parts };
  };
}
