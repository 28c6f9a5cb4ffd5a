import { request as rawRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { protocol } from "../../src/delivery/providers/sendgrid/sandbox.js";
import { startSandbox, type Sandbox } from "../../src/server/sandbox/sandbox.js";
import { FaultPlan } from "../../src/server/sandbox/faults.js";
import { MessageStore } from "../../src/server/sandbox/store.js";
import { sendGridBodyCheck } from "../support/sendgrid-schema.js";

const NOON = Date.UTC(2026, 2, 2, 12);
const check = sendGridBodyCheck();
let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox({ port: 0, now: () => NOON });
});
afterEach(() => sandbox.close());

type Json = Record<string, unknown>;

function mail(changes: Json = {}): Json {
  return {
    personalizations: [{ to: [{ email: "ada@example.com" }], custom_args: { message_id: "m1" } }],
    from: { email: "shop@example.com", name: "Shop" },
    subject: "Hello",
    content: [
      { type: "text/plain", value: "Hello" },
      { type: "text/html", value: "<p>Hello</p>" },
    ],
    categories: ["cart_abandoned"],
    ...changes,
  };
}

async function post(
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; text: string; errors: { message: string; field: string | null; help: null }[] }> {
  const response = await fetch(`${sandbox.url}/v3/mail/send`, {
    method: "POST",
    headers: { authorization: "Bearer SG.any", "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const errors = text === "" ? [] : ((JSON.parse(text) as { errors?: [] }).errors ?? []);
  return { status: response.status, headers: response.headers, text, errors };
}

const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${sandbox.url}${path}`, init);

/** A request with headers that fetch would not send. */
function ask2(path: string, method: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    rawRequest(`${sandbox.url}${path}`, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

describe("the checker that the suites share", () => {
  it("finds what it is for", () => {
    expect(check(mail())).toEqual([]);
    const wrong = [
      mail({ personalizations: [] }),
      mail({ from: undefined }),
      mail({ from: { email: "no address" } }),
      mail({
        content: [
          { type: "text/html", value: "a" },
          { type: "text/plain", value: "a" },
        ],
      }),
      mail({ personalizations: [{ to: [{ email: "a@example.com" }], custom_args: { a: "x".repeat(10_000) } }] }),
      mail({ headers: { Subject: "x" } }),
      mail({ Subject: "Hi" }),
    ];
    // Without the description beside the repository, the second, third and last can't be seen.
    expect(wrong.filter((body) => check(body).length > 0).length).toBeGreaterThanOrEqual(4);
  });
});

describe("POST /v3/mail/send", () => {
  it("takes a mail: 202, an id, no body", async () => {
    expect(check(mail())).toEqual([]);
    const { status, headers, text } = await post(mail());
    expect([status, text]).toEqual([202, ""]);
    const [kept] = sandbox.messages();
    expect(headers.get("x-message-id")).toBe(kept?.id);
    expect(kept).toMatchObject({ order: 1, receivedAt: "2026-03-02T12:00:00.000Z", body: mail() });
    expect(JSON.stringify(kept)).not.toContain("SG.any");
  });

  it("takes everything that SendGrid's description names", async () => {
    const full = mail({
      personalizations: [
        {
          to: [{ email: "ada@example.com", name: "Ada" }],
          cc: [{ email: "b@example.com" }],
          bcc: [{ email: "c@example.com" }],
          from: { email: "x@example.com" },
          subject: "Own",
          headers: { "X-A": "1" },
          substitutions: { "-a-": "b" },
          custom_args: { a: "b" },
          send_at: 1_800_000_000,
        },
      ],
      reply_to: { email: "help@example.com" },
      attachments: [{ content: "aGVsbG8=", filename: "a.txt", type: "text/plain", disposition: "attachment" }],
      headers: { "List-Unsubscribe": "<https://x.example>" },
      send_at: 1_800_000_000,
      batch_id: "b",
      asm: { group_id: 1, groups_to_display: [1] },
      ip_pool_name: "pool",
      mail_settings: { sandbox_mode: { enable: true }, footer: { enable: true, text: "t", html: "h" } },
      tracking_settings: { click_tracking: { enable: false, enable_text: false }, subscription_tracking: { enable: false } },
    });
    expect(check(full)).toEqual([]);
    expect((await post(full)).status).toBe(202);
    expect((await post({ ...mail(), content: undefined, subject: undefined, template_id: "d-1" })).status).toBe(202);
  });

  const to = [{ email: "ada@example.com" }];
  it.each<[string, unknown, string | null]>([
    ["no JSON", "{", null],
    ["a list", [], null],
    ["no from", mail({ from: undefined }), "from"],
    ["a from without an address", mail({ from: { name: "Shop" } }), "from.email"],
    ["no personalizations", mail({ personalizations: undefined }), "personalizations"],
    ["empty personalizations", mail({ personalizations: [] }), "personalizations"],
    ["nobody to send to", mail({ personalizations: [{ to: [] }] }), "personalizations.0.to"],
    ["too many personalizations", mail({ personalizations: Array.from({ length: 1001 }, () => ({ to })) }), "personalizations"],
    ["no address", mail({ personalizations: [{ to: [{ email: "ada" }] }] }), "personalizations.0.to.0.email"],
    ["two addresses in one", mail({ personalizations: [{ to: [{ email: "a@example.com,b@example.com" }] }] }), "personalizations.0.to.0.email"],
    ["the same address twice", mail({ personalizations: [{ to, cc: [{ email: "ADA@example.com" }] }] }), "personalizations.0"],
    ["no subject", mail({ subject: undefined }), "subject"],
    ["an empty subject", mail({ subject: "" }), "subject"],
    ["no content", mail({ content: undefined }), "content"],
    ["empty content", mail({ content: [] }), "content"],
    ["content without text", mail({ content: [{ type: "text/plain", value: "" }] }), "content.0.value"],
    [
      "HTML before text",
      mail({
        content: [
          { type: "text/html", value: "a" },
          { type: "text/plain", value: "a" },
        ],
      }),
      "content",
    ],
    [
      "another type before HTML",
      mail({
        content: [
          { type: "text/x-amp-html", value: "a" },
          { type: "text/html", value: "a" },
        ],
      }),
      "content",
    ],
    ["an unknown field", mail({ Subject: "Hi" }), "Subject"],
    ["an unknown field in a personalization", mail({ personalizations: [{ to, customArgs: { a: "b" } }] }), "personalizations.0.customArgs"],
    ["large custom_args", mail({ personalizations: [{ to, custom_args: { a: "€".repeat(3400) } }] }), "personalizations.0.custom_args"],
    ["a custom_arg that is a number", mail({ personalizations: [{ to, custom_args: { a: 1 } }] }), "personalizations.0.custom_args.a"],
    ["a reserved header", mail({ personalizations: [{ to, headers: { "reply-TO": "x" } }] }), "personalizations.0.headers.reply-TO"],
    ["a reserved header for all", mail({ headers: { Subject: "x" } }), "headers.Subject"],
    ["a line break in a header", mail({ headers: { "X-A": "1\r\nBcc: x" } }), "headers.X-A"],
    ["eleven categories", mail({ categories: Array.from({ length: 11 }, (_, at) => `c${at}`) }), "categories"],
    ["a category twice", mail({ categories: ["a", "a"] }), "categories"],
    ["a long category", mail({ categories: ["a".repeat(256)] }), "categories.0"],
  ])("refuses %s", async (_, body, field) => {
    const { status, errors } = await post(body);
    expect(status).toBe(400);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(Object.keys(error)).toEqual(["message", "field", "help"]);
    expect(errors.map((error) => error.field)).toContain(field);
    expect(sandbox.stats()).toMatchObject({ accepted: 0, refused: { 400: 1 } });
  });

  it.each(["", "Bearer ", "Bearer SG.", "Basic SG.any", "SG.any", "Bearer any"])("refuses the authorization %j as SendGrid does", async (authorization) => {
    const { status, errors } = await post(mail(), { authorization });
    expect(status).toBe(401);
    expect(errors).toEqual([{ message: "The provided authorization grant is invalid, expired, or revoked", field: null, help: null }]);
  });

  it("takes one key alone when told so", async () => {
    await sandbox.close();
    sandbox = await startSandbox({ port: 0, apiKey: "SG.this" });
    expect((await post(mail(), { authorization: "Bearer SG.that" })).status).toBe(401);
    expect((await post(mail(), { authorization: "Bearer SG.this" })).status).toBe(202);
  });

  it("refuses what is too large, of another type, elsewhere or asked otherwise", async () => {
    expect((await post(mail({ content: [{ type: "text/plain", value: "a".repeat(30 * 1024 * 1024) }] }))).status).toBe(413);
    expect((await post(mail(), { "content-type": "text/plain" })).status).toBe(415);
    expect((await ask("/v3/mail/send")).status).toBe(405);
    expect((await ask("/v3/mail/batch", { method: "POST" })).status).toBe(404);
    expect((await ask("/elsewhere")).status).toBe(404);
  });
});

describe("who may ask", () => {
  it.each(["evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example", "10.0.0.1"])(
    "refuses the host %j, a name that resolves here",
    async (host) => {
      expect(await ask2("/sandbox/messages", "GET", { host })).toBe(403);
      expect(await ask2("/v3/mail/send", "POST", { host, authorization: "Bearer SG.any" })).toBe(403);
    },
  );

  it.each(["127.0.0.1", "localhost:4010", "[::1]:4010"])("answers to the host %s", async (host) => {
    expect(await ask2("/sandbox/messages", "GET", { host })).toBe(200);
  });

  it("refuses changes from another origin, and takes its own", async () => {
    const host = new URL(sandbox.url).host;
    expect(await ask2("/sandbox/messages", "DELETE", { host, origin: "https://evil.example" })).toBe(403);
    expect(await ask2("/sandbox/messages", "DELETE", { host, origin: "null" })).toBe(403);
    expect(await ask2("/v3/mail/send", "POST", { host, origin: "https://evil.example" })).toBe(403);
    expect(await ask2("/sandbox/messages", "DELETE", { host, origin: `http://${host}` })).toBe(204);
  });

  it("listens on this machine alone", async () => {
    await expect(startSandbox({ port: 0, host: "0.0.0.0" })).rejects.toThrow(/127\.0\.0\.1/u);
    await expect(startSandbox({ port: Number(new URL(sandbox.url).port) })).rejects.toThrow(/EADDRINUSE/u);
  });
});

describe("/sandbox/", () => {
  it("lists by address and number, gives one, forgets all", async () => {
    for (const email of ["a@example.com", "B@example.com", "a@example.com"]) await post(mail({ personalizations: [{ to: [{ email }] }] }));
    const list = (await (await ask("/sandbox/messages?to=A@example.com")).json()) as {
      kept: number;
      messages: { order: number; id: string }[];
    };
    expect(list.kept).toBe(3);
    expect(list.messages.map(({ order }) => order)).toEqual([1, 3]);
    const newest = (await (await ask("/sandbox/messages?limit=1")).json()) as typeof list;
    expect(newest.messages.map(({ order }) => order)).toEqual([3]);
    expect((await ask("/sandbox/messages?limit=0")).status).toBe(400);
    expect(await (await ask(`/sandbox/messages/${list.messages[0]?.id ?? ""}`)).json()).toMatchObject({
      order: 1,
      body: { subject: "Hello" },
    });
    expect((await ask("/sandbox/messages/nothing")).status).toBe(404);
    expect(await (await ask("/sandbox/stats")).json()).toEqual({ requests: 3, accepted: 3, refused: {}, faults: 0, kept: 3 });
    expect((await ask("/sandbox/messages", { method: "DELETE" })).status).toBe(204);
    expect(await (await ask("/sandbox/stats")).json()).toEqual({ requests: 0, accepted: 0, refused: {}, faults: 0, kept: 0 });
    expect((await ask("/sandbox/messages", { method: "PUT" })).status).toBe(405);
    expect((await ask("/sandbox/else")).status).toBe(404);
  });

  it("takes faults, shows them, and lets them go", async () => {
    const put = (body: unknown): Promise<Response> => ask("/sandbox/faults", { method: "PUT", body: JSON.stringify(body) });
    expect((await put({ status: 429, resetInSeconds: 30, count: 1 })).status).toBe(200);
    const limited = await post(mail());
    expect(limited.status).toBe(429);
    expect(limited.headers.get("x-ratelimit-reset")).toBe(String(NOON / 1000 + 30));
    expect(limited.errors[0]?.message).toBe("too many requests");
    expect((await post(mail())).status).toBe(202);

    await put([{ status: 503, retryAfterSeconds: 4 }]);
    const unavailable = await post(mail());
    expect([unavailable.status, unavailable.headers.get("retry-after")]).toEqual([503, "4"]);
    expect(await (await ask("/sandbox/faults")).json()).toEqual([{ status: 503, retryAfterSeconds: 4 }]);
    expect((await ask("/sandbox/faults", { method: "DELETE" })).status).toBe(204);
    expect((await post(mail())).status).toBe(202);
    for (const wrong of [{}, { status: 200 }, { statsu: 500 }, { status: 500, cut: "after" }, { share: 2, cut: "after" }, "x", null])
      expect((await put(wrong)).status).toBe(400);
  });

  it.each([
    ["before", 0],
    ["after", 1],
  ] as const)("cuts the connection %s it took the message", async (cut, accepted) => {
    sandbox.setFaults([{ cut, count: 1 }]);
    await expect(post(mail())).rejects.toThrow();
    expect(sandbox.stats()).toMatchObject({ requests: 1, accepted, faults: 1 });
  });

  it.each([
    [true, 0],
    ["after", 1],
  ] as const)("hangs (%s), and closing ends that too", async (hang, accepted) => {
    let arrived: () => void = () => undefined;
    const there = new Promise<void>((resolve) => (arrived = resolve));
    const hanging = await startSandbox({ port: 0, onRequest: () => setImmediate(arrived) });
    hanging.setFaults([{ hang }]);
    const answer = fetch(`${hanging.url}/v3/mail/send`, {
      method: "POST",
      headers: { authorization: "Bearer SG.any", "content-type": "application/json" },
      body: JSON.stringify(mail()),
    });
    await there;
    expect(hanging.stats().accepted).toBe(accepted);
    await hanging.close();
    await expect(answer).rejects.toThrow();
  });

  it("answers late when told so", async () => {
    sandbox.setFaults([{ delayMs: 20 }]);
    const begun = performance.now();
    expect((await post(mail())).status).toBe(202);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(18);
  });

  it("lets nothing that is no HTTP disturb it", async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(sandbox.url).port), "127.0.0.1", () => socket.write("nonsense\r\n\r\n"));
      socket
        .on("close", () => resolve())
        .on("error", () => undefined)
        .resume();
    });
    expect((await post(mail())).status).toBe(202);
  });
});

describe("FaultPlan", () => {
  it("befalls its share, the same requests for the same seed", () => {
    const drawn = (seed: number): boolean[] => {
      const plan = new FaultPlan([{ status: 503, share: 0.3, seed }]);
      return Array.from({ length: 1000 }, () => plan.next() !== null);
    };
    expect(drawn(5)).toEqual(drawn(5));
    expect(drawn(5)).not.toEqual(drawn(6));
    const hits = drawn(5).filter(Boolean).length;
    expect(hits).toBeGreaterThan(250);
    expect(hits).toBeLessThan(350);
  });

  it("stops after its count and shows the next of the list", () => {
    const plan = new FaultPlan([{ status: 500, count: 2 }, { status: 503 }]);
    expect([1, 2, 3].map(() => plan.next()?.status)).toEqual([500, 500, 503]);
    expect(plan.active()).toEqual([{ status: 503 }]);
  });
});

describe("MessageStore", () => {
  it("keeps the newest within its bounds of number and size", () => {
    const store = new MessageStore(3, 1000);
    const add = (id: string, characters: number): void =>
      store.add({ id, receivedAt: 0, headers: {}, text: JSON.stringify("x".repeat(characters - 2)), protocol, to: [], subject: "", segment: "" });
    for (const id of ["a", "b", "c", "d"]) add(id, 100);
    expect(store.list(10, null).map(({ id }) => id)).toEqual(["b", "c", "d"]);
    add("e", 850);
    expect(store.list(10, null).map(({ id }) => id)).toEqual(["d", "e"]);
    add("f", 5000);
    expect(store.list(10, null).map(({ id }) => id)).toEqual(["f"]);
    expect(store.get("e")).toBeNull();
    expect(store.get("f")?.order).toBe(6);
  });
});
