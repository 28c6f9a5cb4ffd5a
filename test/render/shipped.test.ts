import { parse, serialize } from "parse5";
import { describe, expect, it } from "vitest";
import type { Links } from "../../src/project/types.js";
import { flatten, nest } from "../../src/render/html/pieces.js";
import { inlineCss } from "../../src/render/html/inline.js";
import { compileText } from "../../src/render/compile/compile-text.js";
import { compile } from "../../src/render/language/engine.js";
import { expand, type Source } from "../../src/render/language/expand.js";
import { parseSource, type Program } from "../../src/render/language/ast.js";
import { readFrontMatter } from "../../src/render/templates/front-matter.js";
import { loadTemplates } from "../../src/render/templates/load.js";
import { htmlToPlain } from "../../src/render/html/plain.js";
import { print } from "../../src/render/language/print.js";
import type { Template } from "../../src/render/templates/types.js";
import type { RenderInput } from "../../src/render/types.js";
import { readdirSync, readFileSync } from "node:fs";
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
const CODE = { code: "PLAIN-7F2A", percent: 10 };
const SETUP = ["create_planner", "import_calendar", "invite_teammate", "first_review"].map((next_step, steps_done) => ({
  first_name: steps_done === 0 ? null : "<b>",
  next_step,
  steps_done,
  start_url: "https://app.example/start",
}));

/** Rows for every shipped template: each branch is in one of them. */
const SAMPLES: Readonly<Record<string, readonly RenderInput["properties"][]>> = {
  bought_together: [{ first_name: "Ada", bought_name: "Brush pens", product_name: "Fineliner <set>", product_url: "https://shop.example/p1" }],
  cart_nudge: [CART, { ...CART, first_name: null, items: null }],
  cart_reminder: [
    { ...CART, code: null, percent: null },
    { ...CART, ...CODE },
    { ...CART, ...CODE, items: [], item_count: 1 },
  ],
  first_success: [
    { first_name: "Ada", feature: "shared_board" },
    { first_name: null, feature: "templates" },
  ],
  gone_quiet: [{ first_name: "Ada", plan_name: "Team", start_url: "https://app.example/start" }],
  high_value_waiting: [{ first_name: "Ada", ticket_subject: 'A "damaged" <notebook>' }],
  plan_limit_near: [
    { first_name: "Ada", used: 13, plan_limit: 15, plan_name: "Starter" },
    { first_name: null, used: 5, plan_limit: 5, plan_name: "Free" },
  ],
  plan_question: [
    { first_name: "Ada", plan: "free", plan_name: "Free", next_plan_name: "Starter" },
    { first_name: null, plan: "starter", plan_name: "Starter", next_plan_name: "Team" },
    { first_name: "Ada", plan: "team", plan_name: "Team", next_plan_name: "Business" },
  ],
  setup_check_in: SETUP,
  setup_prompt: SETUP,
  setup_stalled: SETUP.slice(1),
  tenth_order: [{ first_name: "Ada", first_ordered_at: "2025-06-01T10:00:00Z" }],
  trial_ending: [{ first_name: "Ada", plan_name: "Team", trial_ends_at: "2026-03-04T09:00:00Z", price: "24.00", currency: "EUR" }],
  usage_dropping: ["shared_board", "weekly_summary", "templates", "reminders"].map((favourite) => ({ first_name: "Ada", favourite })),
  welcome: SETUP,
};
const EVERY = Object.entries(SAMPLES).flatMap(([name, rows]) => rows.map((properties) => [name, properties] as const));

function get(name: string): Template {
  const found = templates.get(name);
  if (found === undefined) throw new Error(`${name}: ${JSON.stringify(problems)}`);
  return found;
}
const given = (properties: RenderInput["properties"], changes: Partial<RenderInput> = {}): RenderInput => input(properties, { links, because, ...changes });

describe("the shipped templates", () => {
  it("load without problems, inlined once and with a text part made once", () => {
    expect(problems).toEqual([]);
    expect([...templates.keys()]).toEqual(Object.keys(SAMPLES));
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

  it("cart_reminder with a code, as text", () => {
    const { subject, preheader, text } = mail(get("cart_reminder"), given({ ...CART, ...CODE }));
    expect(subject).toBe("10% off your first order, with a code of your own");
    expect(preheader).toBe("Saved on 2 March 2026: €149.90 in all.");
    const [beforeUnsubscribe, rest] = text.split("Unsubscribe (");
    expect(rest).toMatch(/^https:\/\/shop\.example\/unsubscribe\?token=[\w.-]+\)$/);
    expect(beforeUnsubscribe).toBe(`A code for your first order

Hello Ada O'Neil,

This would be your first order with us, so here is a code for it. It takes 10% off everything below, works once, and is yours alone:

PLAIN-7F2A

Desk lamp <warm> €49.90
Notebook 2 × €50.00
Total €149.90

Open your cart (https://shop.example/cart/8f2a?lang=en#items)

Prices and stock are checked again at checkout. We will not write about this cart again.

You left something in your cart.

Sent by Shop Example. `);
  });

  it("plan_question with a list, as text, transactional and without a reason", () => {
    const [free = {}] = SAMPLES["plan_question"] ?? [];
    expect(mail(get("plan_question"), given(free, { class: "transactional", because: null })).text).toBe(`Free or Starter

Hello Ada,

You are on the Free plan. If you wonder whether Starter would suit you better, this is what it comes down to:

 * Free holds 5 boards, Starter 15.
 * Starter keeps reviews for a year instead of a month.
 * You can go back at the end of any month; your boards stay.

Compare the plans (https://app.plainfold.example/plans)

If Free does what you need, stay with it. And if a question is left, reply to this email.

Sent by Shop Example.`);
  });

  it.each([
    ["welcome", { ...SETUP[0] }, "Welcome to Shop Example. First: create your planner"],
    ["setup_prompt", { ...SETUP[1] }, "The next step in Shop Example: bring your calendar in"],
    ["setup_check_in", { ...SETUP[3] }, "Can we help you to do your first review?"],
    ["setup_stalled", { ...SETUP[2] }, "Sharing your planner: how it works, and what others see"],
    ["cart_reminder", { ...CART, code: null, percent: 10 }, "Still in your cart: 3 items, €149.90"],
    ["tenth_order", { ...SAMPLES["tenth_order"]?.[0] }, "Your tenth order since 1 June 2025: thank you"],
  ])("%s has a subject of its own: %j", (name, properties, subject) => {
    expect(mail(get(name), given(properties)).subject).toBe(subject);
  });

  it("have their dates in the language that they are written in, whatever the user's", () => {
    const [row = {}] = SAMPLES["trial_ending"] ?? [];
    const spanish = { ...CONTEXT, locale: "es-ES", timezone: "Europe/Madrid" };
    expect(mail(get("trial_ending"), given(row, { context: spanish })).subject).toBe("Your Team trial ends on 4 March 2026");
  });

  it.each(EVERY)("%s inlined once is the same as rendered first and inlined afterwards (%j)", (name, properties) => {
    const fast = mail(get(name), given(properties));
    const slow = inlineCss(
      renderPlainly(name, {
        ...properties,
        ...CONTEXT,
        because: "You left something in your cart.",
        unsubscribe_url: /href="([^"]*token[^"]*)"/.exec(fast.html)?.[1] ?? null,
      }),
    );
    // Rules that match nothing stay, and what a message leaves out its rules don't match.
    const comparable = (html: string): string => normal(html.replace(/<div data-preheader.*?<\/div>/s, "").replace(/(?<=<style>).*?(?=@media)/s, ""));
    expect(comparable(fast.html)).toBe(comparable(slow));
    expect(fast.text).toBe(htmlToPlain(fast.html));
  });

  it.each(EVERY)("%s asks for one thing, says why and how to stop, and fits an inbox (%j)", (name, properties) => {
    const { html, subject, preheader } = mail(get(name), given(properties));
    expect([...html.matchAll(/<a class="button"/g)]).toHaveLength(1);
    expect([...html.matchAll(/<a /g)]).toHaveLength(2);
    expect(html).toContain("You left something in your cart.");
    expect(html.length).toBeLessThan(8_000);
    // About what phones show of a subject and desktops of both.
    expect(subject.length).toBeLessThanOrEqual(72);
    expect(preheader.length).toBeLessThanOrEqual(90);
    expect(preheader).not.toBe("");
    expect(html).toMatch(/<h1 [^>]*>[^<]+<\/h1>/);
    expect(mail(get(name), given(properties, { class: "transactional" })).html).not.toContain("Unsubscribe");
  });

  it("begin with a hidden preheader that no text of the body can follow in a preview", () => {
    const { html, preheader } = mail(get("cart_nudge"), given(CART));
    const [, content] = /<body[^>]*><div data-preheader style="display:none;[^"]*mso-hide:all">(.*?)<\/div>/s.exec(html) ?? [];
    expect(content?.startsWith(preheader)).toBe(true);
    expect(content?.slice(preheader.length)).toMatch(/^(?:&#847;&zwnj;&nbsp;){90}$/);
  });

  it("adapt to small screens and to the dark, with styles in the elements for clients without style sheets", () => {
    const { html } = mail(get("cart_nudge"), given(CART));
    expect(html).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    const [, sheet = ""] = /<style>(.*?)<\/style>/s.exec(html) ?? [];
    expect(sheet).toContain("@media (prefers-color-scheme: dark)");
    expect(sheet).toContain("@media (max-width: 480px)");
    const others = sheet.replace(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}/g, "").matchAll(/^\s*([^{}]+?)\s*\{/gm);
    expect([...others].map(([, selector]) => selector)).toEqual(["ul", "li", ".code"]);
    expect(html).toMatch(/<table class="card"[^>]*style="width: 100%;max-width: 600px;/);
    expect(html).not.toMatch(/\bwidth="?\d{3,}/);
  });
});

/** The same template without any of the work done once: composed, rendered, nothing inlined. */
function renderPlainly(name: string, data: Readonly<Record<string, unknown>>): string {
  const program = (file: string): Program => {
    const parsed = parseSource(readFrontMatter(readFileSync(join(ROOT, "templates", file), "utf8"), file).body, { file, line: 1, column: 0 });
    if ("problem" in parsed) throw new Error(parsed.problem.message);
    return parsed.program;
  };
  const partials = new Map<string, Source>(
    readdirSync(join(ROOT, "templates/partials")).map((file) => [file.replace(".hbs", ""), { file, program: program(`partials/${file}`) }]),
  );
  const { program: tree } = expand(program("layouts/base.hbs"), partials, program(`${name}.hbs`));
  const plain = nest(flatten(tree.body), tree.loc, (node) => print(node, "__value", node.escaped));
  if (plain === null) throw new Error("not nested");
  return compile(plain)(data, { locale: "en-GB", timezone: "Europe/Zurich", utm: [], unsubscribeUrl: null }).text;
}

/** Parsed and written again, without the marks and white space that inlining places differently. */
function normal(html: string): string {
  return serialize(parse(html)).replace(/\s+/g, " ").replace(/> </g, "><");
}
