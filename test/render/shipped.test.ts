import { parse, serialize } from "parse5";
import { describe, expect, it } from "vitest";
import type { Links } from "../../src/project/types.js";
import { flatten, nest } from "../../src/render/pieces.js";
import { inlineCss } from "../../src/render/build.js";
import { compileText } from "../../src/render/compile-text.js";
import { compile } from "../../src/render/engine.js";
import { expand, type Source } from "../../src/render/expand.js";
import { parseSource, type Program } from "../../src/render/ast.js";
import { readFrontMatter } from "../../src/render/front-matter.js";
import { loadTemplates } from "../../src/render/load.js";
import { htmlToPlain } from "../../src/render/plain.js";
import { print } from "../../src/render/print.js";
import type { RenderInput, Template } from "../../src/render/types.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CONTEXT, input, mail } from "./fixtures.js";

const ROOT = join(import.meta.dirname, "../..");
const { templates, problems } = loadTemplates(ROOT);
const links: Links = { unsubscribeUrl: "https://shop.example/unsubscribe", unsubscribeSecret: "secret", utm: {} };
const because = compileText("You left something in your cart.", { file: "segments/cart.sql", line: 4, column: 9 }).text;

const CART = {
  first_name: "Ada O'Neil",
  item_count: 3,
  total: "149.90",
  currency: "EUR",
  cart_url: "https://shop.example/cart/8f2a?lang=en#items",
  items: [
    { name: "Desk lamp <warm>", quantity: 1, price: "49.90" },
    { name: "Notebook", quantity: 2, price: "50.00" },
  ],
};
const WELCOME = { first_name: null, plan_name: "Growth", start_url: "https://shop.example/start" };

function get(name: string): Template {
  const found = templates.get(name);
  if (found === undefined) throw new Error(`${name}: ${JSON.stringify(problems)}`);
  return found;
}
const given = (properties: RenderInput["properties"], changes: Partial<RenderInput> = {}): RenderInput => input(properties, { links, because, ...changes });

describe("the shipped templates", () => {
  it("load without problems, inlined once and with a text part made once", () => {
    expect(problems).toEqual([]);
    expect([...templates.keys()]).toEqual(["cart_reminder", "welcome"]);
    for (const template of templates.values()) {
      const form = template.email();
      expect(form).toMatchObject({ ok: true, built: { inlineEachTime: null, textEachTime: false } });
    }
  });

  it("need few columns", () => {
    const needs = (name: string): string[] =>
      get(name)
        .variables.filter(({ required }) => required)
        .map((variable) => variable.name);
    expect(needs("cart_reminder")).toEqual(["item_count", "total", "currency", "cart_url"]);
    expect(needs("welcome")).toEqual(["start_url"]);
  });

  it("cart_reminder, as text", () => {
    const { subject, preheader, text } = mail(get("cart_reminder"), given(CART));
    expect(subject).toBe("Your cart: 3 items, €149.90");
    expect(preheader).toBe("Saved on 2 March 2026. Pick up where you stopped, on any device.");
    const [beforeUnsubscribe, rest] = text.split("Unsubscribe (");
    expect(rest).toMatch(/^https:\/\/shop\.example\/unsubscribe\?token=[\w.-]+\)$/);
    expect(beforeUnsubscribe).toBe(`Your cart is saved

Hello Ada O'Neil,

On 2 March 2026 you put 3 items in your cart and stopped before paying. Everything is still there:

Desk lamp <warm> €49.90
Notebook × 2 €50.00
Total €149.90

Open your cart (https://shop.example/cart/8f2a?lang=en#items)

Prices and stock are checked again at checkout. If you no longer need it, there is nothing to do.

You left something in your cart.

Sent by Shop Example. `);
  });

  it("welcome, as text, transactional and without a reason", () => {
    expect(mail(get("welcome"), given(WELCOME, { class: "transactional", because: null })).text).toBe(`Your account is ready

Hello,

You signed up on 2 March 2026, on the Growth plan. From here, a few minutes are enough to have everything set up.

Set up your account (https://shop.example/start)

You can stop at any point and carry on later; what you have entered is kept.

Sent by Shop Example.`);
  });

  it.each([
    ["cart_reminder", CART],
    ["cart_reminder", { ...CART, first_name: null, items: null }],
    ["cart_reminder", { ...CART, items: [], item_count: 1 }],
    ["welcome", WELCOME],
    ["welcome", { ...WELCOME, first_name: "<b>", plan_name: null }],
  ] as const)("%s inlined once is the same as rendered first and inlined afterwards (%j)", (name, properties) => {
    const fast = mail(get(name), given(properties));
    const slow = inlineCss(
      renderPlainly(name, {
        ...properties,
        ...CONTEXT,
        because: "You left something in your cart.",
        unsubscribe_url: /href="([^"]*token[^"]*)"/.exec(fast.html)?.[1] ?? null,
      }),
    );
    expect(normal(fast.html.replace(/<div data-preheader.*?<\/div>/s, ""))).toBe(normal(slow));
    expect(fast.text).toBe(htmlToPlain(fast.html));
  });

  it("begin with a hidden preheader that no text of the body can follow in a preview", () => {
    const { html, preheader } = mail(get("cart_reminder"), given(CART));
    const [, content] = /<body[^>]*><div data-preheader style="display:none;[^"]*mso-hide:all">(.*?)<\/div>/s.exec(html) ?? [];
    expect(content?.startsWith(preheader)).toBe(true);
    expect(content?.slice(preheader.length)).toMatch(/^(?:&#847;&zwnj;&nbsp;){90}$/);
  });

  it("adapt to small screens and to the dark, with styles in the elements for clients without style sheets", () => {
    const { html } = mail(get("cart_reminder"), given(CART));
    expect(html).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    const [, sheet = ""] = /<style>(.*?)<\/style>/s.exec(html) ?? [];
    expect(sheet).toContain("@media (prefers-color-scheme: dark)");
    expect(sheet).toContain("@media (max-width: 480px)");
    expect(sheet.replace(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}/g, "").trim()).toBe("");
    expect(html).toMatch(/<table class="card"[^>]*style="width: 100%;max-width: 600px;/);
    expect(html).not.toMatch(/\bwidth="?\d{3,}/);
    expect(html.length).toBeLessThan(20_000);
  });

  it("ask for one thing, and say why and how to stop", () => {
    for (const [name, properties] of [
      ["cart_reminder", CART],
      ["welcome", WELCOME],
    ] as const) {
      const { html } = mail(get(name), given(properties));
      expect([...html.matchAll(/<a class="button"/g)]).toHaveLength(1);
      expect([...html.matchAll(/<a /g)]).toHaveLength(2);
      expect(html).toContain("You left something in your cart.");
      expect(mail(get(name), given(properties, { class: "transactional" })).html).not.toContain("Unsubscribe");
    }
  });
});

/** The same template without any of the work done once: composed, rendered, nothing inlined. */
function renderPlainly(name: string, data: Readonly<Record<string, unknown>>): string {
  const program = (file: string): Program => {
    const parsed = parseSource(readFrontMatter(readFileSync(join(ROOT, "templates", file), "utf8"), file).body, { file, line: 1, column: 0 });
    if ("problem" in parsed) throw new Error(parsed.problem.message);
    return parsed.program;
  };
  const partials = new Map<string, Source>([["button", { file: "button", program: program("partials/button.hbs") }]]);
  const { program: tree } = expand(program("layouts/base.hbs"), partials, program(`${name}.hbs`));
  const plain = nest(flatten(tree.body), tree.loc, (node) => print(node, "__value", node.escaped));
  if (plain === null) throw new Error("not nested");
  return compile(plain)(data, { locale: "en-GB", timezone: "Europe/Zurich", utm: [], unsubscribeUrl: null }).text;
}

/** Parsed and written again, without the marks and white space that inlining places differently. */
function normal(html: string): string {
  return serialize(parse(html)).replace(/\s+/g, " ").replace(/> </g, "><");
}
