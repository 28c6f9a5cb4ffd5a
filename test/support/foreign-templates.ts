/** The emails of test/data/templates and one of 100 KB: as their authors wrote them, with values alone filled in, and as they are sent. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSource } from "../../src/render/language/ast.js";
import { compile } from "../../src/render/language/engine.js";
import { readFrontMatter } from "../../src/render/templates/front-matter.js";
import { loadTemplates } from "../../src/render/templates/load.js";
import { flatten, nest } from "../../src/render/html/pieces.js";
import { print } from "../../src/render/language/print.js";
import { renderEmail } from "../../src/render/render.js";

const FOLDER = join(import.meta.dirname, "../data/templates");
export const NAMES: readonly string[] = [...readdirSync(FOLDER).map((file) => file.replace(".hbs", "")), "large"];

const ROW = {
  first_name: "Ada <Söhne> & Co",
  count: 3,
  total: "€12.00",
  items: [
    { name: "Paper <A4>", price: "€4.00" },
    { name: "Ink", price: "€8.00" },
  ],
};

/** A catalogue of some 300 products with a sheet of 200 rules, most of which match nothing: 100 KB. */
function large(): string {
  const rules = Array.from({ length: 200 }, (_, index) => `.c${String(index)} { color: #${String(100 + index)}; padding: ${String(index % 9)}px }`).join("\n");
  const row = (index: number): string =>
    `<tr><td class="c${String(index % 5)}" style="padding-left: 4px"><a href="https://shop.example/products/${String(index)}?from=mail" title="Product ${String(index)}">Product ${String(index)} for {{first_name}}</a></td><td align="right" class="price">€${String(index)}.00<!-- ${"note ".repeat(20)}--></td></tr>`;
  const body = `<!DOCTYPE html><html><head><style>${rules}\n@media print { .price { display: none } }</style></head><body>{{#if total}}<table>${Array.from({ length: 300 }, (_, index) => row(index)).join("\n")}</table>{{/if}}</body></html>`;
  return `---\nsubject: "All we have"\nlayout: none\n---\n${body}`;
}

export interface Foreign {
  before: string;
  after: string;
  text: string;
  /** Why its CSS is inlined for each message; null: once. */
  eachTime: string | null;
}

export function foreign(name: string): Foreign {
  const file = `templates/${name}.hbs`;
  const source = name === "large" ? large() : readFileSync(join(FOLDER, `${name}.hbs`), "utf8");
  const root = mkdtempSync(join(tmpdir(), "foreign-"));
  mkdirSync(join(root, "templates"));
  writeFileSync(join(root, file), source);
  const { templates, problems } = loadTemplates(root);
  rmSync(root, { recursive: true });
  const template = templates.get(name);
  if (template === undefined) throw new Error(JSON.stringify(problems));
  const context = { message_id: "m", user_id: "u", key: "k", occurred_at: "2026-03-02T12:00:00Z", as_of: "2026-03-02T13:00:00Z", segment: "s", step: "x" };
  const rendered = renderEmail(template, {
    properties: ROW,
    context: { ...context, variant: "", project: "Shop", topic: null, locale: "en-GB", timezone: "UTC" },
    because: null,
    class: "marketing",
    channel: "email",
    links: { unsubscribeUrl: null, unsubscribeSecret: null, utm: {} },
  });
  if (!rendered.ok) throw new Error(rendered.reason);
  const form = template.email();
  const parsed = parseSource(readFrontMatter(source, file).body, { file, line: 1, column: 0 });
  if ("problem" in parsed || !form.ok) throw new Error("not parsed");
  const plain = nest(flatten(parsed.program.body), parsed.program.loc, (node) => print(node, "__value", node.escaped));
  if (plain === null) throw new Error("not nested");
  const before = compile(plain)({ ...ROW }, { locale: "en-GB", timezone: "UTC", utm: [], unsubscribeUrl: null }).text;
  return { before, after: rendered.mail.html, text: rendered.mail.text, eachTime: form.built.inlineEachTime };
}
