/** Puts mutated SQL in the place of the package's, in this process alone. */
import { readFileSync } from "node:fs";
import path from "node:path";
import Handlebars from "handlebars";

type Context = Record<string, unknown>;

interface Slot {
  now: HandlebarsTemplateDelegate<Context>;
  own: HandlebarsTemplateDelegate<Context>;
  /** What the file was last filled with. */
  context: Context | null;
}

const SQL_FOLDER = path.join(import.meta.dirname, "../../sql");
const slots = new Map<string, Slot>();
const compile = Handlebars.compile.bind(Handlebars);
const OPTIONS: CompileOptions = { noEscape: true, strict: true };

// The templates of src/warehouse/sql.ts are compiled once and kept: what is kept asks here each time.
Handlebars.compile = <T>(input: string, options?: CompileOptions): HandlebarsTemplateDelegate<T> => {
  const own = compile<Context>(input, options);
  const slot: Slot = { now: own, own, context: null };
  slots.set(input, slot);
  return (context: T, runtime?: Handlebars.RuntimeOptions) => {
    slot.context = context as Context;
    return slot.now(context as Context, runtime);
  };
};

/** The text of a file of sql/. */
export function sqlFile(file: string): string {
  return readFileSync(path.join(SQL_FOLDER, file), "utf8");
}

function slotOf(file: string): Slot {
  const slot = slots.get(sqlFile(file));
  if (slot === undefined) throw new Error(`Nothing has filled sql/${file} yet.`);
  return slot;
}

/** What a file was last filled with. */
export function contextOf(file: string): Context {
  const { context } = slotOf(file);
  if (context === null) throw new Error(`Nothing has filled sql/${file} yet.`);
  return context;
}

/** Fills a file with another text from now on; without a text, with its own again. */
export function inject(file: string, text?: string): void {
  const slot = slotOf(file);
  slot.now = text === undefined ? slot.own : compile<Context>(text, OPTIONS);
}
