/** `opportune lint`: each fixture below is the project in `good/` with one fault, which is all that is found. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatProblem, OpportuneError } from "../../../src/core/errors.js";
import { lintProject } from "../../../src/project/checks/lint.js";
import { ownClock } from "../../../src/project/checks/own-clock.js";
import { timeBound } from "../../../src/project/checks/time-bound.js";
import { isStock } from "../../../src/project/checks/stock-words.js";
import type { LintResult } from "../../../src/project/checks/types.js";
import { LINT_RULES } from "../../../src/project/schema/lint-rules.js";
import { loadProject } from "../../../src/project/build/load.js";
import { loadRenderer } from "../../../src/render/renderer.js";

const HERE = import.meta.dirname;

/** The good project with some of its files replaced: by those of a fixture, or by an edit of their text. */
function project(fixture: string | null, edits: Readonly<Record<string, (text: string) => string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "opportune-lint-"));
  for (const folder of ["good", ...(fixture === null ? [] : [fixture])]) cpSync(join(HERE, folder), root, { recursive: true });
  for (const [file, edit] of Object.entries(edits)) {
    const before = readFileSync(join(root, file), "utf8");
    const after = edit(before);
    if (after === before) throw new Error(`${file} is as before`);
    writeFileSync(join(root, file), after);
  }
  return root;
}

function lint(root: string, ...select: string[]): LintResult {
  const loaded = loadProject(root, { env: {} });
  const selected = select.flatMap((id) => loaded.segments.get(id) ?? []);
  return lintProject(loaded, loadRenderer(loaded).templateOf, select.length === 0 ? undefined : selected, new Set(["cart"]));
}

const lines = ({ findings }: LintResult): string[] =>
  findings.map(({ rule, ...finding }) => formatProblem({ code: rule, ...finding, message: `${rule}: ${finding.message}` }));

const FOUND: Readonly<Record<(typeof LINT_RULES)[number], string>> = {
  "no-goal": "segments/cart.sql:2:1: no-goal: Segment cart has no goal.",
  "no-exclusions": "segments/cart.sql:2:1: no-exclusions: Segment cart excludes nobody, and the policy neither.",
  "no-time-bound": "segments/cart.sql:11:1: no-time-bound: The SQL of segment cart compares nothing with {{ago}} or {{as_of}}.",
  "own-clock": "segments/cart.sql:14:58: own-clock: The SQL of segment cart asks the warehouse's own clock: now().",
  "no-property": "templates/cart.hbs:4:1: no-property: Template cart says nothing of what the reader did.",
  "several-actions": "templates/cart.hbs:7:17: several-actions: Beside the button to {{cart_url}} there is one to https://shop.example/new.",
  "generic-subject": `templates/cart.hbs:2:11: generic-subject: The subject "{{default first_name \\"Hey\\"}}, you left something behind!" could head any email.`,
  "exact-time": `templates/cart.hbs:5:7: exact-time: {{date occurred_at "datetime"}} tells the hour and minute.`,
  "no-unsubscribe": "templates/cart.hbs:1:1: no-unsubscribe: Neither template cart nor its layout links to {{unsubscribe_url}}.",
  "no-postal-address": "templates/cart.hbs:1:1: no-postal-address: Neither template cart nor its layout holds a postal address.",
  "unencoded-link": "templates/cart.hbs:7:75: unencoded-link: {{first_name}} stands in the query of a link without url.",
  clipped: "templates/cart.hbs:1:1: clipped: The HTML of template cart has 105,573 bytes before any value; Gmail shows 102,400.",
  "crowded-audience":
    "segments/cart_3.sql:7:7: crowded-audience: Segment cart_3 comes after cart, cart_2: a user may hear 2, and all have the goal ordered and the signal intent.",
  "first-run-over": "segments/cart.sql:5:12: first-run-over: Segment cart has run before: `first_run: send` has no effect any more.",
};

/** With a silence in the front matter of the file that a line names. */
const silence = (line: string, rule: string): Record<string, (text: string) => string> => {
  const file = line.split(":")[0] ?? "";
  return { [file]: (text) => text.replace("---\n", `---\nlint: {${rule}: we have looked}\n`) };
};

describe("the warehouse's own clock", () => {
  it.each([
    ["now()", "now()"],
    ["NOW ( )", "NOW()"],
    ["current_date", "current_date"],
    ["CURRENT_TIMESTAMP(3)", "CURRENT_TIMESTAMP"],
    ["current_timestamp", "current_timestamp"],
    ["getdate()", "getdate()"],
    ["sysdate", "sysdate"],
    ["sysdate()", "sysdate()"],
    ["localtimestamp", "localtimestamp"],
    ["current_datetime('UTC')", "current_datetime()"],
    ["today()", "today()"],
  ])("is asked by %s", (asked, word) => {
    expect(ownClock(`select 1 where a < ${asked} - interval '1 day'`).map((each) => each.word)).toEqual([word]);
  });

  it.each([
    "-- now()\n1",
    "/* current_date */ 1",
    "'now()'",
    '"current_date"',
    "t.current_date",
    "u.now()",
    "today",
    "known()",
    "1 as current_date",
    "{{!-- now() --}} 1",
    "current_date.day",
  ])("isn't asked by %s", (sql) => {
    expect(ownClock(`select ${sql}`)).toEqual([]);
  });

  it("is found in an audience too, for the segments that go by it", () => {
    const asks = { "segments/audiences/ordered.sql": (text: string) => `${text.trimEnd()} and ordered_at < current_timestamp\n` };
    expect(lines(lint(project(null, asks)))).toEqual([
      expect.stringMatching(/^segments\/audiences\/ordered\.sql:\d+:\d+: own-clock: The SQL of audience ordered asks/),
    ]);
  });
});

describe.each(LINT_RULES)("%s", (rule) => {
  it("is found in its fixture, and nothing else", () => {
    expect(lines(lint(project(rule)))).toEqual([FOUND[rule]]);
  });

  it("is silenced by a reason in the front matter", () => {
    const { findings, silenced } = lint(project(rule, silence(FOUND[rule], rule)));
    expect({ findings, silenced }).toMatchObject({ findings: [], silenced: [{ rule, reason: "we have looked" }] });
  });

  it("is silenced by a reason in opportune.yml", () => {
    const { findings, silenced } = lint(project(rule, { "opportune.yml": (text) => `${text}lint: { ${rule}: so it is }\n` }));
    expect({ findings, silenced }).toMatchObject({ findings: [], silenced: [{ rule, reason: "so it is" }] });
  });

  it("its silence is needless where there is nothing to silence", () => {
    const file = FOUND[rule].startsWith("templates/") ? "templates/cart.hbs" : "segments/cart.sql";
    expect(lines(lint(project(null, silence(file, rule))))).toEqual([`${file}:2:8: needless-silence: lint: {${rule}: …} silences nothing here.`]);
    const everywhere = lint(project(null, { "opportune.yml": (text) => `${text}lint: { ${rule}: so it is }\n` }));
    expect(lines(everywhere)).toEqual([`opportune.yml:10:9: needless-silence: lint: {${rule}: …} silences nothing.`]);
  });
});

it("finds nothing in the good project, nor in the shipped one", () => {
  expect(lint(project(null))).toEqual({ findings: [], silenced: [] });
  expect(lines(lint(join(HERE, "../../..")))).toEqual([]);
});

it("finds no first run to be over where the segment never ran, nor where nobody knows, and calls no silence of that needless then", () => {
  const root = project("first-run-over", { "segments/cart.sql": (text) => text.replace("---\n", "---\nlint: {first-run-over: we have looked}\n") });
  const loaded = loadProject(root, { env: {} });
  const found = (ran: ReadonlySet<string> | null): string[] => lines(lintProject(loaded, loadRenderer(loaded).templateOf, undefined, ran));
  expect(found(null)).toEqual([]);
  expect(found(new Set(["tip"]))).toEqual(["segments/cart.sql:2:8: needless-silence: lint: {first-run-over: …} silences nothing here."]);
});

describe("no-time-bound reads SQL as it is written", () => {
  it.each([
    ["bound", `select 1 from t where a > {{ago "3 days"}}`],
    ["bound", `select 1 from t where {{ago "3 days"}} <= a`],
    ["bound", `select 1 from t where a between {{ago "3 days"}} and {{as_of}}`],
    ["bound", `with r as (select a from t where a >= {{~ago "3 days"~}}) select a from r`],
    ["bound", `select 1 from t join r on r.a > {{ago "3 days"}}`],
    ["bound", `select 1 from t group by b having count(case when a > {{ago "7 days"}} then 1 end) >= 3`],
    ["bound", `select 1 from t where exists (select 1 from r where r.a > {{ago "7 days"}})`],
    ["bound", `select 1 from t where date_diff('day', a, {{as_of}}) < 7`],
    ["bound", `select 1 from t where a < {{ago "1 hour"}} and a > {{ago "1 day"}}`],
    ["open", `select 1 from t where a < {{ago "3 days"}}`],
    ["open", `select 1 from t where {{as_of}} >= a and b <= {{ago "1 day"}}`],
    ["none", `select 1 from t`],
    ["none", `select {{as_of}} as asked_at from t where a > 5`],
    ["none", `select count(*) filter (where a > {{ago "3 days"}}) as n from t`],
    ["none", `select (select max(a) from r where a > {{ago "3 days"}}) as newest from t where b = ')'`],
    ["none", `select 1 from t where b = 1 /* and a > {{ago "3 days"}} */`],
    ["none", `select 1 from t where b = 1 {{!-- and a > {{ago "3 days"}} --}}`],
    ["none", `select 1 from t where "{{ago '3 days'}}" = 'a > {{ago "3 days"}}'`],
  ])("%s: %s", (kind, sql) => {
    expect(timeBound(sql).kind).toBe(kind);
  });

  it("names the place of the latest time that stands alone", () => {
    const root = project(null, { "segments/cart.sql": (text) => text.replace("updated_at > {{ago", "updated_at\n    < {{ago") });
    expect(lines(lint(root))).toEqual(["segments/cart.sql:15:7: no-time-bound: The SQL of segment cart has a latest time, but no earliest."]);
  });
});

describe("generic-subject knows stock words, not phrases", () => {
  it.each([
    "We miss you!",
    "Don’t miss out",
    "Welcome to Plainfold",
    "Hi there",
    "50 % off everything",
    "Just checking in…",
    "",
    "Thanks for being here",
    "Important account update",
  ])("generic: %s", (subject) => {
    expect(isStock(subject, "Plainfold")).toBe(true);
  });

  it.each([
    "Your trial ends today",
    "Your first planner in two minutes",
    "Boards: 8 of 10 used",
    "Schön, dass du da bist",
    "What the weekly summary shows you",
  ])("says something: %s", (subject) => {
    expect(isStock(subject, "Plainfold")).toBe(false);
  });
});

describe("several-actions counts what one reader can see", () => {
  const button = (to: string): string => `{{> button href=${to} label="Go"}}\n`;
  const found = (body: string): string[] =>
    lines(lint(project(null, { "templates/cart.hbs": (text) => text.replace(/\{\{> button.*\n.*\n$/, body) }))).map((line) => line.replace(/^\S+ /, ""));

  it.each([
    ["one button twice", button("cart_url") + button("cart_url")],
    ["a button each side of a condition", `{{#if (gt item_count 1)}}${button("cart_url")}{{else}}${button('"https://shop.example/one"')}{{/if}}`],
    ["a button and links", `${button("cart_url")}<p><a href="https://a.example">a</a> <a href="https://b.example">b</a></p>`],
    ["one link, and an address to write to", `<p><a href="{{cart_url}}">Open it</a>, or <a href="mailto:help@shop.example">write to us</a>.</p>`],
    ["links of a list", `{{#each items}}<a href="{{link}}">{{name}}</a>{{/each}}<p><a href="{{cart_url}}">All of them</a></p>`],
  ])("not %s", (_, body) => {
    expect(found(body)).toEqual([]);
  });

  it.each([
    [
      "two links without a button",
      `<a href="{{cart_url}}">a</a> <a href="https://b.example/">b</a>`,
      "Beside the link to {{cart_url}} there is one to https://b.example/.",
    ],
    [
      "links that differ in a value",
      `<a href="https://b.example/{{url first_name}}">a</a> <a href="https://b.example/{{item_count}}">b</a>`,
      "Beside the link to https://b.example/{{url first_name}} there is one to https://b.example/{{item_count}}.",
    ],
    [
      "buttons made by style",
      `<a style="background:#000" href="https://a.example">a</a> <a class="btn btn-small" href="{{cart_url}}">b</a>`,
      "Beside the button to https://a.example there is one to {{cart_url}}.",
    ],
    ["a button for every item", `{{#each items}}${button("link")}{{/each}}`, "The button to {{link}} stands in an {{#each}}: one for every item."],
    [
      "two conditions that may both hold",
      `{{#if item_count}}${button("cart_url")}{{/if}}{{#if first_name}}${button('"https://b.example"')}{{/if}}`,
      "Beside the button to {{cart_url}} there is one to https://b.example.",
    ],
  ])("%s", (_, body, message) => {
    expect(found(body)).toEqual([`several-actions: ${message}`]);
  });
});

describe("exact-time lets pass what tells no secret", () => {
  const found = (copy: string): string[] => lines(lint(project(null, { "templates/cart.hbs": (text) => text.replace("<p>on", `<p>${copy} on`) })));

  it.each(['{{date trial_ends_at "time"}}', '{{date occurred_at "full"}}', "{{date seen_at}}", '<a href="https://a.example/?at={{url seen_at}}">a</a>'])(
    "passes: %s",
    (copy) => {
      expect(found(copy)).toEqual([]);
    },
  );

  it.each([
    '{{date seen_at "time"}}',
    "{{occurred_at}}",
    "{{trial_ends_at}}",
    '{{default (date seen_at "datetime") "then"}}',
    "{{#each visits}}{{seen_at}}{{/each}}",
  ])("finds: %s", (copy) => {
    expect(found(copy)).toHaveLength(1);
  });

  it("leaves receipts alone", () => {
    const transactional = (text: string): string => text.replace("status: live", "status: live\nclass: transactional");
    const root = project("exact-time", { "segments/cart.sql": transactional });
    expect(lines(lint(root))).toEqual([]);
  });
});

describe("the project as a whole", () => {
  it("a partial's fault is told once, and silenced by each template that uses it", () => {
    const second = (text: string): string =>
      text.replace("template: cart}", "template: cart}\n  - {name: again, after: 1 day, within: 6 hours, channel: email, template: again}");
    const edits = { "segments/cart.sql": second, "templates/partials/button.hbs": (text: string): string => `{{occurred_at}}${text}` };
    const root = project(null, edits);
    const template = readFileSync(join(root, "templates/cart.hbs"), "utf8");
    writeFileSync(join(root, "templates/again.hbs"), template);
    expect(lines(lint(root))).toEqual(["templates/partials/button.hbs:1:3: exact-time: {{occurred_at}} prints a timestamp."]);
    for (const file of ["cart", "again"]) writeFileSync(join(root, `templates/${file}.hbs`), template.replace("---\n", "---\nlint: {exact-time: asked for}\n"));
    expect(lint(root)).toMatchObject({ findings: [], silenced: [{ rule: "exact-time" }] });
  });

  it("mail that is really sent needs an address to unsubscribe at", () => {
    const send = (text: string): string => text.replace("provider: outbox", 'provider: sendgrid, api_key: "SG.key"');
    expect(lines(lint(project(null, { "opportune.yml": send })))).toEqual([
      "opportune.yml:2:1: no-unsubscribe: Marketing is sent, and links.unsubscribe_url is not set: {{unsubscribe_url}} is empty, and emails have no List-Unsubscribe header.",
    ]);
    const links = 'links: { unsubscribe_url: "https://shop.example/u", unsubscribe_secret: an-unsubscribe-secret-of-32-chars }\n';
    expect(lines(lint(project(null, { "opportune.yml": (text) => send(text) + links })))).toEqual([]);
  });

  it("a text message needs no subject and no link, but says what happened", () => {
    const sms = (text: string): string => text.replace("channel: email", "channel: sms").replace("u.email", "u.phone");
    const edits = {
      "opportune.yml": (text: string): string => text.replace("channels:\n", "channels:\n  sms: { provider: outbox }\n"),
      "segments/cart.sql": sms,
    };
    const say = (copy: string): string[] => lines(lint(project(null, { ...edits, "templates/cart.hbs": () => copy })));
    expect(say("Your cart of {{item_count}} is saved: {{cart_url}}")).toEqual([]);
    expect(say('{"title": "Your cart", "count": "{{item_count}}"}')).toEqual([]);
    expect(say("Hello {{first_name}}, come back")).toEqual(["templates/cart.hbs:1:1: no-property: Template cart says nothing of what the reader did."]);
    expect(say("{{item_count}} since {{occurred_at}}")).toEqual(["templates/cart.hbs:1:24: exact-time: {{occurred_at}} prints a timestamp."]);
  });

  it("each variant's template is read", () => {
    const variants = (text: string): string => text.replace("template: cart}", "template: cart, variants: {a: {}, b: {template: other}}}");
    const root = project(null, { "segments/cart.sql": variants });
    writeFileSync(join(root, "templates/other.hbs"), "---\nsubject: We miss you\n---\n<p>{{item_count}} items</p>\n");
    expect(lines(lint(root))).toEqual(['templates/other.hbs:2:10: generic-subject: The subject "We miss you" could head any email.']);
  });

  it("segments that are not selected count, and are not reported", () => {
    const root = project("crowded-audience");
    expect(lines(lint(root, "cart_3"))).toEqual([FOUND["crowded-audience"]]);
    expect(lines(lint(root, "cart", "cart_2"))).toEqual([]);
  });

  it("a crowd is as many as the policy's caps, four without any", () => {
    expect(lines(lint(project("crowded-audience", { "opportune.yml": (text) => text.replace(/ {2}caps:.*\n/, "  spacing: 1 hour\n") })))).toEqual([]);
    expect(lines(lint(project("crowded-audience", { "segments/cart_2.sql": (text) => text.replace("status: live", "status: paused") })))).toEqual([]);
  });

  it.each([
    [
      "segments/cart.sql",
      "lint: {no-gaol: never}",
      /^segments\/cart\.sql:2:8: Unknown key "no-gaol" in lint; allowed: no-goal, .*\n {4}Did you mean "no-goal"\?$/,
    ],
    ["segments/cart.sql", "lint: {no-goal: }", /^segments\/cart\.sql:2:17: lint\.no-goal is empty; expected the reason why it is right here\.$/],
    ["templates/cart.hbs", "lint: {no-property: ''}", /^templates\/cart\.hbs:2:21: lint\.no-property is ""; expected the reason why it is right here$/],
    ["templates/cart.hbs", "lint: no-property", /^templates\/cart\.hbs:2:7: lint is "no-property"; expected a mapping$/],
  ])("%s can't say %s", (file, yaml, message) => {
    const root = project(null, { [file]: (text) => text.replace("---\n", `---\n${yaml}\n`) });
    expect(() => lint(root)).toThrow(OpportuneError);
    expect(() => lint(root)).toThrow(message);
  });
});

describe("no-postal-address knows an address", () => {
  const found = (footer: string): string[] =>
    lines(lint(project(null, { "templates/layouts/base.hbs": (text) => text.replace(", 12 Mill Lane, Leeds LS1 4DY", ` ${footer}`) })));

  it.each([
    "<address>Paper &amp; Co, by the mill</address>",
    "{{company_address}}",
    "{{shop.address.street}}",
    "Bahnhofstrasse 1, 8001 Zürich",
    "Rua Augusta 5, 1100-053 Lisboa",
    "1 Market St, San Francisco, CA 94103",
    "1 George St, Sydney NSW 2000",
    "MG Road, Bengaluru, 560001",
    "1 Queen Street, Wellington 6011",
    "221B Baker Street, London NW1 6XE",
    "1 King St, Toronto M5V 2T6",
    "1 Grafton Street, Dublin D02 AF30",
    "〒100-0001 東京都千代田区",
    "PO Box 12, Leeds",
  ])("passes: %s", (footer) => {
    expect(found(footer)).toEqual([]);
  });

  it.each([
    "© 2026 Paper",
    "since 1998",
    "{{email_address}}",
    "more than 120,000 Readers",
    '<a href="https://a.example/8001-Zurich">here</a>',
    '<span style="display:none">8001 Zürich</span>',
    "<!-- 8001 Zürich -->",
  ])("finds: %s", (footer) => {
    expect(found(footer)).toContain("templates/cart.hbs:1:1: no-postal-address: Neither template cart nor its layout holds a postal address.");
  });
});

describe("unencoded-link", () => {
  const found = (link: string): string[] =>
    lines(lint(project(null, { "templates/cart.hbs": (text) => text.replace("https://shop.example/help", link) }))).map((line) => line.replace(/^\S+ /, ""));

  it.each([
    "{{cart_url}}",
    "https://a.example/{{first_name}}",
    "https://a.example/?q={{url first_name}}",
    "https://a.example/?q={{url (default first_name key)}}",
  ])("passes: %s", (link) => {
    expect(found(link)).toEqual([]);
  });

  it.each(["{{cart_url}}?q={{first_name}}", "https://a.example/?n={{number item_count}}", "https://a.example/?q={{#if first_name}}{{first_name}}{{/if}}"])(
    "finds: %s",
    (link) => {
      expect(found(link)).toEqual([expect.stringMatching(/^unencoded-link: \{\{\w+\}\} stands in the query of a link without url\.$/)]);
    },
  );
});
