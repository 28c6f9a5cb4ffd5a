import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { loadProject } from "../../src/project/build/load.js";
import type { Project } from "../../src/project/types.js";
import { BASE, edited, projectFolder } from "./support.js";

const CART = `/*---
id: cart_abandoned
description: A cart left alone for ten minutes
because: You left something in your cart.
status: live
signal: intent
priority: 80
topic: carts
key: cart_id
repeat: every 30 days
goal: {audience: ordered, within: 7 days}
exclude: [open_tickets]
require: [consented]
holdout: 10%
max_per_run: 500
first_run: send
every: 1 hour
steps:
  - {name: reminder, after: 24 hours, within: 36 hours, channel: email, template: carts/reminder}
  - name: nudge
    after: 10 minutes
    channel: push
    template: cart_push
    factor: tone
    variants:
      plain: {weight: 3}
      quick: {after: 5 minutes, within: 1 hour, channel: email, template: carts/reminder}
columns:
  plan_type: {required: true, accepted_values: [starter, growth, 3, true]}
  total: {}
keep_properties: [total, plan_type]
---*/
select user_id, email, device_token, cart_id, updated_at as occurred_at, total, plan_type
from {{source "carts"}} where updated_at > {{ago "3 days"}} and total > {{var "least_total"}}
`;

const RECEIPT = `/*---
class: transactional
channel: email
template: receipt
within: 2 hours
---*/
select user_id, email, ordered_at as occurred_at from {{source "orders"}}
`;

const TICKETS = `/*--- {description: Somebody is already talking to them, min_rows: 5, name: open_tickets} ---*/ select user_id from tickets`;

const FILES = {
  "opportune.yml": `name: shop
target: dev
targets:
  dev: {type: duckdb, path: "\${DATA}/shop.duckdb", allow: [ada@example.com, "@example.org"]}
  prod:
    type: duckdb
    path: \${PROD_PATH}
    schema: messaging
    live: true
    outbox: out
    wait_for_lock: 1 minute
    memory_limit: 2GB
    threads: 4
channels:
  email:
    provider: sendgrid
    api_key: \${KEY}
    endpoint: http://127.0.0.1:8025
    from: Shop <hello@shop.example>
    reply_to: help@shop.example
    in_flight: 16
    rate: 100
    timeout: 10 seconds
    on_doubt: resend
  push: {provider: outbox}
  texts: {type: sms, provider: outbox, api_key: "\${UNUSED}", rate: 0.5}
policy:
  timezone: Europe/Berlin
  quiet_hours: {from: 21:00, to: "08:00"}
  caps:
    - {max: 2, per: 48 hours}
    - {max: 1, per: 7 days, channel: texts, topic: carts}
    - {max: 9, per: 1 week, name: weekly limit}
  spacing: 1 hour 30 minutes
  exclude: [open_tickets]
  require: [consented]
  holdout: 2.5
  surge: {multiple: 4, at_least: 50}
sources:
  carts: {table: shop.carts, loaded_at: max(updated_at), stale_after: 6 hours}
  orders: shop.orders
vars: {least_total: 12.5, country: de, trial: false}
interval: 10 minutes
links:
  unsubscribe_url: https://shop.example/unsubscribe
  unsubscribe_secret: \${SECRET}
  utm: {source: opportune, campaign: "{{segment}}"}
lint: {no-exclusions: "one office, and nobody in it"}
`,
  ".env": "KEY=from-file\nSECRET='7d1f 02c9a4be53688e17f0d6b42c95a3'\nDATA=from-file\n",
  "segments/growth/cart.sql": CART,
  "segments/receipt.sql": RECEIPT,
  "segments/cart.test.yml": "not: read",
  "segments/audiences/ordered.sql": "select user_id, ordered_at as occurred_at from shop.orders\n",
  "segments/audiences/care/tickets.sql": TICKETS,
  "segments/audiences/consented.sql": "/*----- a banner -----*/\nselect user_id from consents\n",
  "templates/carts/reminder.hbs": "",
  "templates/cart_push.hbs": "",
  "templates/receipt.hbs": "",
};

const hash = (content: string): string => createHash("sha256").update(content).digest("hex").slice(0, 12);
const afterFrontMatter = (content: string): string => content.slice(content.indexOf("---*/\n") + 6);

test("a good project, all of it", () => {
  const root = projectFolder(FILES);
  const project = loadProject(root, { env: { DATA: "/data" } });
  const cart = project.segments.get("cart_abandoned");
  const receipt = project.segments.get("receipt");
  const expected: Project = {
    root,
    name: "shop",
    target: {
      name: "dev",
      live: false,
      allow: ["ada@example.com", "@example.org"],
      schema: "opportune",
      outbox: "target/opportune/outbox",
      maxBytes: null,
      connection: { type: "duckdb", path: "/data/shop.duckdb", waitForLockSeconds: 30, memoryLimit: null, threads: null },
      onAlert: null,
    },
    anyLive: true,
    channels: new Map([
      [
        "email",
        {
          name: "email",
          type: "email",
          provider: "sendgrid",
          settings: { apiKey: "from-file", sandbox: false, endpoint: "http://127.0.0.1:8025", timeoutSeconds: 10, onDoubt: "resend", htmlOk: false },
          from: "Shop <hello@shop.example>",
          replyTo: "help@shop.example",
          inFlight: 16,
          ratePerSecond: 100,
        },
      ],
      [
        "push",
        {
          name: "push",
          type: "push",
          provider: "outbox",
          settings: { sandbox: false, timeoutSeconds: 30, onDoubt: "hold" },
          from: null,
          replyTo: null,
          inFlight: 256,
          ratePerSecond: 500,
        },
      ],
      [
        "texts",
        {
          name: "texts",
          type: "sms",
          provider: "outbox",
          settings: { sandbox: false, timeoutSeconds: 30, onDoubt: "hold" },
          from: null,
          replyTo: null,
          inFlight: 256,
          ratePerSecond: 0.5,
        },
      ],
    ]),
    policy: {
      timezone: "Europe/Berlin",
      locale: "en",
      quietHours: { from: "21:00", to: "08:00" },
      caps: [
        { name: "2 per 48 hours", max: 2, windowSeconds: 172_800, channel: null, topic: null },
        { name: "1 per 7 days on texts of topic carts", max: 1, windowSeconds: 604_800, channel: "texts", topic: "carts" },
        { name: "weekly limit", max: 9, windowSeconds: 604_800, channel: null, topic: null },
      ],
      spacingSeconds: 5_400,
      exclude: ["open_tickets"],
      require: ["consented"],
      holdout: 2.5,
      surge: { multiple: 4, atLeast: 50 },
      // 100 + 500 + 0.5 a second, for ten minutes.
      maxPerRun: 360_300,
    },
    sources: new Map([
      ["carts", { name: "carts", table: "shop.carts", loadedAt: "max(updated_at)", staleAfterSeconds: 21_600, line: 40 }],
      ["orders", { name: "orders", table: "shop.orders", loadedAt: null, staleAfterSeconds: null, line: 41 }],
    ]),
    vars: { least_total: { number: "12.5" }, country: "de", trial: false },
    intervalSeconds: 600,
    idle: [
      {
        code: "config/no-effect",
        message: "channels.texts.api_key has no effect beside provider: outbox, which writes files.",
        hint: "Leave it out, or name the provider that it is for.",
        file: "opportune.yml",
        line: 26,
        column: 40,
      },
      {
        code: "config/no-effect",
        message: "goal.within has no effect yet: no decision and no report reads it.",
        hint: "Leave it out: the goal ends the journey whenever it is reached.",
        file: "segments/growth/cart.sql",
        line: 11,
        column: 27,
      },
    ],
    links: {
      unsubscribeUrl: "https://shop.example/unsubscribe",
      unsubscribeSecret: "7d1f 02c9a4be53688e17f0d6b42c95a3",
      utm: { source: "opportune", campaign: "{{segment}}" },
    },
    lint: new Map([["no-exclusions", { reason: "one office, and nobody in it", line: 48, column: 8 }]]),
    segments: new Map([
      [
        "cart_abandoned",
        {
          file: "segments/growth/cart.sql",
          sql: afterFrontMatter(CART),
          buildsOn: [],
          sqlLine: 33,
          version: hash(CART),
          id: "cart_abandoned",
          description: "A cart left alone for ten minutes",
          because: "You left something in your cart.",
          status: "live",
          signal: "intent",
          class: "marketing",
          priority: 80,
          topic: "carts",
          key: "cart_id",
          repeat: { kind: "every", seconds: 2_592_000 },
          goal: { audience: "ordered", withinSeconds: 604_800 },
          exclude: ["open_tickets"],
          require: ["consented"],
          holdout: 10,
          maxPerRun: 500,
          firstRun: "send",
          everySeconds: 3_600,
          maxBytes: null,
          steps: [
            {
              name: "nudge",
              factor: "tone",
              afterSeconds: 600,
              withinSeconds: 86_400,
              channel: "push",
              template: "cart_push",
              variants: [
                { name: "plain", weight: 3, afterSeconds: 600, withinSeconds: 86_400, channel: "push", template: "cart_push" },
                {
                  name: "quick",
                  weight: 1,
                  afterSeconds: 300,
                  withinSeconds: 3_600,
                  channel: "email",
                  template: "carts/reminder",
                },
              ],
            },
            {
              name: "reminder",
              factor: "reminder",
              afterSeconds: 86_400,
              withinSeconds: 129_600,
              channel: "email",
              template: "carts/reminder",
              variants: [],
            },
          ],
          contract: [
            { column: "plan_type", required: true, acceptedValues: ["starter", "growth", 3, true] },
            { column: "total", required: false, acceptedValues: null },
          ],
          keepProperties: ["total", "plan_type"],
          lint: new Map(),
          places: cart?.places ?? new Map(),
        },
      ],
      [
        "receipt",
        {
          file: "segments/receipt.sql",
          sql: afterFrontMatter(RECEIPT),
          buildsOn: [],
          sqlLine: 7,
          version: hash(RECEIPT),
          id: "receipt",
          description: null,
          because: null,
          status: "draft",
          signal: null,
          class: "transactional",
          priority: 50,
          topic: null,
          key: null,
          repeat: { kind: "never" },
          goal: null,
          exclude: [],
          require: [],
          holdout: 0,
          maxPerRun: null,
          firstRun: "baseline",
          everySeconds: null,
          maxBytes: null,
          steps: [{ name: "message", factor: "message", afterSeconds: 0, withinSeconds: 7_200, channel: "email", template: "receipt", variants: [] }],
          contract: [],
          keepProperties: [],
          lint: new Map(),
          places: receipt?.places ?? new Map(),
        },
      ],
    ]),
    audiences: new Map([
      [
        "consented",
        {
          file: "segments/audiences/consented.sql",
          sql: FILES["segments/audiences/consented.sql"],
          buildsOn: [],
          sqlLine: 1,
          version: hash(FILES["segments/audiences/consented.sql"]),
          name: "consented",
          description: null,
          minRows: 0,
        },
      ],
      [
        "open_tickets",
        {
          file: "segments/audiences/care/tickets.sql",
          sql: " select user_id from tickets",
          buildsOn: [],
          sqlLine: 1,
          version: hash(TICKETS),
          name: "open_tickets",
          description: "Somebody is already talking to them",
          minRows: 5,
        },
      ],
      [
        "ordered",
        {
          file: "segments/audiences/ordered.sql",
          sql: FILES["segments/audiences/ordered.sql"],
          buildsOn: [],
          sqlLine: 1,
          version: hash(FILES["segments/audiences/ordered.sql"]),
          name: "ordered",
          description: null,
          minRows: 0,
        },
      ],
    ]),
  };
  expect(project).toEqual(expected);
  expect([...project.segments.keys()]).toEqual(["cart_abandoned", "receipt"]);
  expect([...project.audiences.keys()]).toEqual(["consented", "open_tickets", "ordered"]);
});

test("places lead to the front matter's values, steps by sorted index and by name", () => {
  const { segments } = loadProject(projectFolder(FILES), { env: {} });
  const cart = segments.get("cart_abandoned")?.places;
  const here = (path: string): string => {
    const place = cart?.get(path);
    return CART.split("\n")[(place?.line ?? 0) - 1]?.slice((place?.column ?? 0) - 1) ?? "";
  };
  expect(cart?.get("topic")).toEqual({ line: 8, column: 8 });
  expect(here("goal.within")).toBe("7 days}");
  expect(here("exclude.0")).toBe("open_tickets]");
  expect(here("steps.0.template")).toBe("cart_push");
  expect(here("steps.nudge.template")).toBe("cart_push");
  expect(here("steps.1.template")).toBe("carts/reminder}");
  expect(here("steps.reminder.after")).toBe("24 hours, within: 36 hours, channel: email, template: carts/reminder}");
  expect(here("steps.nudge.variants.quick.template")).toBe("carts/reminder}");
  expect(here("columns.plan_type.accepted_values.1")).toBe("growth, 3, true]}");
  expect(here("keep_properties.1")).toBe("plan_type]");

  const receipt = segments.get("receipt")?.places;
  expect(receipt?.get("steps.0.template")).toEqual({ line: 4, column: 11 });
  expect(receipt?.get("steps.message.template")).toEqual({ line: 4, column: 11 });
});

test("the chosen target, and the real environment before .env", () => {
  const root = projectFolder(FILES);
  const { target, channels } = loadProject(root, { target: "prod", env: { PROD_PATH: ":memory:", KEY: "from-world", DATA: "" } });
  expect(target).toEqual({
    name: "prod",
    live: true,
    allow: [],
    schema: "messaging",
    outbox: "out",
    maxBytes: null,
    connection: { type: "duckdb", path: ":memory:", waitForLockSeconds: 60, memoryLimit: "2GB", threads: 4 },
    onAlert: null,
  });
  expect(channels.get("email")?.settings).toHaveProperty("apiKey", "from-world");
});

test("a small project: the only target, and the defaults", () => {
  const project = loadProject(projectFolder(BASE), { env: {} });
  expect(project.target.name).toBe("dev");
  expect(project.intervalSeconds).toBe(300);
  expect(project.policy).toEqual({
    timezone: "UTC",
    locale: "en",
    surge: { multiple: 10, atLeast: 1000 },
    quietHours: null,
    caps: [],
    spacingSeconds: null,
    exclude: [],
    require: [],
    holdout: 0,
    maxPerRun: 150_000,
  });
  expect(project.links).toEqual({ unsubscribeUrl: null, unsubscribeSecret: null, utm: {} });
  expect(project.vars).toEqual({});
  expect(project.segments.get("cart")?.goal).toEqual({ audience: "ordered", withinSeconds: null });
});

test("Windows line ends and a byte order mark move nothing", () => {
  const cart = `\uFEFF${String(BASE["segments/cart.sql"]).replaceAll("\n", "\r\n")}`;
  const segment = loadProject(projectFolder({ ...BASE, "segments/cart.sql": cart }), { env: {} }).segments.get("cart");
  expect(segment?.sqlLine).toBe(10);
  expect(segment?.sql.startsWith("select user_id")).toBe(true);
  expect(segment?.places.get("steps.0.template")).toEqual({ line: 8, column: 15 });
  expect(segment?.version).toBe(hash(String(BASE["segments/cart.sql"])));
});

test("anchors work, and a value met through an alias stands where it is used", () => {
  const files = edited(
    "segments/cart.sql",
    "    template: cart_email",
    "    template: &mail cart_email\n  - {name: later, after: 1 day, channel: email, template: *mail}",
  );
  const places = loadProject(projectFolder(files), { env: {} }).segments.get("cart")?.places;
  expect(places?.get("steps.later.template")).toEqual({ line: 9, column: 59 });
});
