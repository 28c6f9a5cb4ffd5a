import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SENDGRID_ANSWERS } from "../../../src/delivery/providers/sendgrid/answers.js";
import { createSendGridProvider } from "../../../src/delivery/providers/sendgrid/provider.js";
import { outcomeOf } from "../../../src/delivery/providers/http/answer.js";
import type { PoolClock } from "../../../src/delivery/providers/http/pool.js";
import type { OutgoingMessage, Provider, SendOutcome } from "../../../src/delivery/types.js";
import { startSandbox, type Sandbox } from "../../../src/server/sandbox/sandbox.js";
import { sendGridBodyCheck } from "../../support/sendgrid-schema.js";
import { handClock } from "../exchange.js";
import { KEY, NOON, message } from "../fixtures.js";

const never = new AbortController().signal;
const check = sendGridBodyCheck();
let sandbox: Sandbox;
const open: { close(): Promise<unknown> }[] = [];

function providerFor(
  endpoint: string,
  changes: { apiKey?: string | null; sandbox?: boolean; inFlight?: number; timeoutSeconds?: number; htmlOk?: boolean } = {},
  clock?: PoolClock,
): Provider {
  const provider = createSendGridProvider(
    { name: "email", apiKey: KEY, sandbox: false, endpoint, inFlight: 4, timeoutSeconds: 60, htmlOk: false, ...changes },
    clock === undefined ? {} : { clock },
  );
  open.push(provider);
  return provider;
}

/** A server that does as told; its address. */
async function serve(handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server: Server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let arrived: () => void = () => undefined;
const arrival = (): Promise<void> => new Promise((resolve) => (arrived = resolve));

beforeEach(async () => {
  sandbox = await startSandbox({ port: 0, apiKey: KEY, onRequest: () => arrived() });
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await sandbox.close();
});

describe("what is posted", () => {
  it("is one mail to one person that fits SendGrid's description", async () => {
    const provider = providerFor(sandbox.url);
    const outcome = await provider.send(message({ name: "Ada", replyTo: "Help <help@example.com>" }), never);
    const [kept] = sandbox.messages();
    expect(outcome).toEqual({ kind: "accepted", providerId: kept?.id });
    expect(kept?.body).toEqual({
      personalizations: [
        {
          to: [{ email: "ada@example.com", name: "Ada" }],
          headers: { "List-Unsubscribe": "<https://shop.example/u?token=abc>" },
          custom_args: { message_id: "5d41402abc4b2a76b9719d911017c592", run_id: "run-1" },
        },
      ],
      from: { email: "shop@example.com", name: "Shop" },
      reply_to: { email: "help@example.com", name: "Help" },
      subject: "You left something",
      content: [
        { type: "text/plain", value: "Your cart waits." },
        { type: "text/html", value: "<p>Your cart waits.</p>" },
      ],
      categories: ["cart_abandoned"],
    });
    expect(check(kept?.body)).toEqual([]);
  });

  it("fits the description in every form that a message can take", async () => {
    const provider = providerFor(sandbox.url);
    const forms: Partial<OutgoingMessage>[] = [
      { html: null },
      { text: null },
      { text: "" },
      { headers: {} },
      { from: "shop@example.com" },
      { from: '"Shop, Ltd." <shop@example.com>', subject: 'Grüße — "€5" für {{you}} 🎁' },
      { name: "", replyTo: "help@example.com" },
      { html: "-name- {{x}} %open-track% \u2028 \ud83d\ude00", text: "{{x}}" },
    ];
    for (const form of forms) expect(await provider.send(message(form), never)).toMatchObject({ kind: "accepted" });
    for (const { body } of sandbox.messages()) expect(check(body)).toEqual([]);
    expect(JSON.stringify(sandbox.messages()[5]?.body)).toContain("Shop, Ltd.");
    expect(sandbox.messages()[7]?.body).toMatchObject({
      content: [{ value: "{{x}}" }, { value: "-name- {{x}} %open-track% \u2028 \ud83d\ude00" }],
    });
  });

  it("names nobody in custom_args and categories", async () => {
    await providerFor(sandbox.url).send(message({ name: "Ada" }), never);
    const body = sandbox.messages()[0]?.body as {
      categories: string[];
      personalizations: { custom_args: Record<string, string> }[];
    };
    expect(Object.keys(body.personalizations[0]?.custom_args ?? {})).toEqual(["message_id", "run_id"]);
    expect(body.categories).toEqual(["cart_abandoned"]);
  });

  it("keeps the mail's headers out of the HTTP request", async () => {
    await providerFor(sandbox.url).send(message({ headers: { "X-Entity-Ref-ID": "1", Authorization: "Bearer SG.other" } }), never);
    expect(sandbox.messages()[0]?.headers).not.toHaveProperty("x-entity-ref-id");
    expect(sandbox.messages()[0]?.body).toMatchObject({ personalizations: [{ headers: { Authorization: "Bearer SG.other" } }] });
  });

  it("goes below the endpoint's path", async () => {
    const paths: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(202).end();
    });
    expect(await providerFor(`${url}/mock/`).send(message(), never)).toEqual({ kind: "accepted", providerId: null });
    expect(paths).toEqual(["/mock/v3/mail/send"]);
  });
});

describe("refused before it is posted", () => {
  it.each<[string, Partial<OutgoingMessage>, RegExp]>([
    ["no address", { address: "ada" }, /recipient's address/u],
    ["two addresses", { address: "ada@example.com,bob@example.com" }, /recipient's address/u],
    ["no sender", { from: null }, /from must be .* not nothing/u],
    ["a sender that is none", { from: "Shop" }, /not "Shop"/u],
    ["a reply-to that is none", { replyTo: "nobody" }, /reply-to/u],
    ["no subject", { subject: " " }, /subject is empty/u],
    ["a line break in the subject", { subject: "Hi\r\nBcc: x@example.com" }, /subject holds a control character/u],
    ["a line break in the sender", { from: "Shop\n <shop@example.com>" }, /from must be/u],
    ["a line break in a name", { name: "Ada\n" }, /name holds a control character/u],
    ["no content", { html: null, text: "" }, /neither text nor HTML/u],
    ["a reserved header", { headers: { "Reply-To": "x@example.com" } }, /Reply-To is reserved/u],
    ["a line break in a header", { headers: { "X-A": "1\r\nX-B: 2" } }, /X-A holds a control character/u],
    ["no header name", { headers: { "X A": "1" } }, /"X A" is not a header name/u],
    ["large custom_args", { messageId: "m".repeat(10_000) }, /10000 bytes/u],
    ["a long segment id", { segment: "s".repeat(256) }, /255 characters/u],
  ])("%s", async (_, changes, reason) => {
    expect(await providerFor(sandbox.url).send(message(changes), never)).toEqual({
      kind: "rejected",
      reason: expect.stringMatching(reason) as string,
      unposted: true,
    });
    expect(sandbox.stats().requests).toBe(0);
  });

  it("a body over 30 MB, by bytes and not by characters", async () => {
    const provider = providerFor(sandbox.url);
    const tooLarge = await provider.send(message({ html: "€".repeat(11 * 1024 * 1024) }), never);
    expect(tooLarge).toEqual({ kind: "rejected", reason: "the message would exceed 31457280 bytes", unposted: true });
    expect(sandbox.stats().requests).toBe(0);
    expect(await provider.send(message({ html: "e".repeat(11 * 1024 * 1024) }), never)).toMatchObject({ kind: "accepted" });
  });
});

describe("what answers mean", () => {
  const answers: [number, Record<string, string>, SendOutcome["kind"], number | null | undefined][] = [
    [200, {}, "accepted", undefined],
    [202, {}, "accepted", undefined],
    [400, {}, "rejected", undefined],
    [413, {}, "rejected", undefined],
    [422, {}, "rejected", undefined],
    [401, {}, "unauthorised", undefined],
    [403, {}, "unauthorised", undefined],
    [404, {}, "unauthorised", undefined],
    [301, {}, "unauthorised", undefined],
    [307, {}, "unauthorised", undefined],
    [308, {}, "unauthorised", undefined],
    [300, {}, "in_doubt", undefined],
    [302, {}, "in_doubt", undefined],
    [303, {}, "in_doubt", undefined],
    [402, {}, "unauthorised", undefined],
    [415, {}, "unauthorised", undefined],
    [429, { "x-ratelimit-reset": String(NOON / 1000 + 7) }, "try_again", 7000],
    [429, { "x-ratelimit-reset": "9" }, "try_again", 9000],
    [429, { "x-ratelimit-reset": String(NOON / 1000 - 60) }, "try_again", 0],
    [429, { "retry-after": "3" }, "try_again", 3000],
    [429, { "retry-after": new Date(NOON + 4000).toUTCString() }, "try_again", 4000],
    [429, { "x-ratelimit-reset": String(NOON / 1000 + 2), "retry-after": "5" }, "try_again", 5000],
    [429, { "x-ratelimit-reset": String(NOON / 1000 + 100), date: new Date(NOON + 90_000).toUTCString() }, "try_again", 10_000],
    [429, { "x-ratelimit-reset": "soon" }, "try_again", 1000],
    [500, {}, "try_again", null],
    [503, { "retry-after": "20" }, "try_again", 20_000],
    [503, {}, "try_again", null],
    [425, {}, "try_again", null],
    [406, {}, "in_doubt", undefined],
    [408, { "retry-after": "20" }, "in_doubt", undefined],
    [502, {}, "in_doubt", undefined],
    [502, { "retry-after": "20" }, "in_doubt", undefined],
    [504, {}, "in_doubt", undefined],
    [520, {}, "in_doubt", undefined],
    [524, {}, "in_doubt", undefined],
  ];
  it.each(answers)("HTTP %i %j is %s", (status, headers, kind, afterMs) => {
    const outcome = outcomeOf({ status, headers: { ...headers, "content-length": "0" }, body: "", ended: true }, NOON, SENDGRID_ANSWERS, false);
    expect(outcome.kind).toBe(kind);
    if (outcome.kind === "try_again") expect(outcome.afterMs).toBe(afterMs);
  });

  it.each([
    ["text/html", "in_doubt", "accepted"],
    ["Text/HTML; charset=utf-8", "in_doubt", "accepted"],
    ["application/xhtml+xml", "in_doubt", "accepted"],
    ["text/plain", "accepted", "accepted"],
    ["application/json", "accepted", "accepted"],
    [undefined, "accepted", "accepted"],
  ])("a 2xx with content-type %s is %s, with html_ok %s", (type, kind, allowed) => {
    const answer = { status: 202, headers: type === undefined ? {} : { "content-type": type }, body: "<title>Sign in</title>", ended: true };
    expect(outcomeOf(answer, NOON, SENDGRID_ANSWERS, false)).toMatchObject(
      kind === "in_doubt" ? { kind, reason: "HTTP 202 with a web page instead of the provider's answer: Sign in" } : { kind },
    );
    expect(outcomeOf(answer, NOON, SENDGRID_ANSWERS, true).kind).toBe(allowed);
  });

  it("gives SendGrid's own words with the field", () => {
    const body = JSON.stringify({ errors: [{ message: "Bad thing.", field: "subject", help: null }, { message: "Worse." }, 7] });
    expect(outcomeOf({ status: 400, headers: {}, body, ended: true }, NOON, SENDGRID_ANSWERS, false)).toEqual({
      kind: "rejected",
      reason: "HTTP 400: Bad thing. (subject); Worse.",
    });
    expect(outcomeOf({ status: 400, headers: {}, body: "<html>proxy</html>", ended: true }, NOON, SENDGRID_ANSWERS, false)).toEqual({
      kind: "rejected",
      reason: "HTTP 400: <html>proxy</html>",
    });
  });

  it("a wrong key stops the channel", async () => {
    const outcome = await providerFor(sandbox.url, { apiKey: "SG.not-the-key-of-this-one" }).send(message(), never);
    expect(outcome).toEqual({
      kind: "unauthorised",
      reason: "HTTP 401: The provided authorization grant is invalid, expired, or revoked",
    });
  });

  it("a reason does not hold the recipient's address", async () => {
    const url = await serve((request, response) => {
      request.resume().on("end", () => response.writeHead(400).end(JSON.stringify({ errors: [{ message: "Unknown: ADA@example.com" }] })));
    });
    expect(await providerFor(url).send(message(), never)).toEqual({ kind: "rejected", reason: "HTTP 400: Unknown: [address]" });
  });
});

describe("without an answer", () => {
  it("a refused connection was not handed over", async () => {
    const { url } = sandbox;
    await sandbox.close();
    expect(await providerFor(url).send(message(), never)).toEqual({
      kind: "try_again",
      afterMs: null,
      reason: expect.stringContaining("ECONNREFUSED") as string,
    });
    sandbox = await startSandbox({ port: 0 });
  });

  it("a name that does not resolve was not handed over", async () => {
    const outcome = await providerFor("https://nowhere.invalid").send(message(), never);
    expect(outcome).toMatchObject({ kind: "try_again", afterMs: null });
  });

  it.each(["before", "after"] as const)("a connection reset %s the message was taken is in doubt, and not posted again", async (cut) => {
    sandbox.setFaults([{ cut, count: 1 }]);
    const outcome = await providerFor(sandbox.url).send(message(), never);
    expect(outcome.kind).toBe("in_doubt");
    expect(sandbox.stats()).toMatchObject({ requests: 1, accepted: cut === "after" ? 1 : 0 });
  });

  it("an answer that is cut off in its explanation still counts", async () => {
    const url = await serve((request, response) => {
      request.resume().on("end", () => {
        response.writeHead(400, { "Content-Length": "1000" }).write('{"errors":[', () => response.destroy());
      });
    });
    expect(await providerFor(url).send(message(), never)).toMatchObject({
      kind: "rejected",
      reason: expect.stringContaining("HTTP 400") as string,
    });
  });

  it("an answer later than the timeout is in doubt; what waited for the connection was not handed over", async () => {
    const clock = handClock();
    const provider = providerFor(sandbox.url, { inFlight: 1, timeoutSeconds: 5 }, clock);
    sandbox.setFaults([{ hang: true }]);
    const there = arrival();
    const first = provider.send(message({ messageId: "m1" }), never);
    const queued = provider.send(message({ messageId: "m2" }), never);
    await there;
    clock.pass(4999);
    clock.pass(1);
    expect(await first).toEqual({ kind: "in_doubt", reason: "no answer within 5 seconds" });
    expect(await queued).toEqual({ kind: "try_again", afterMs: null, reason: "no answer within 5 seconds" });
    sandbox.setFaults([]);
    expect(await provider.send(message({ messageId: "m3" }), never)).toMatchObject({ kind: "accepted" });
    expect(sandbox.stats().requests).toBe(2);
  });

  it("giving up leaves what is under way in doubt and hands nothing more over", async () => {
    const provider = providerFor(sandbox.url);
    const abandon = new AbortController();
    sandbox.setFaults([{ hang: true }]);
    const there = arrival();
    const first = provider.send(message(), abandon.signal);
    await there;
    abandon.abort();
    expect((await first).kind).toBe("in_doubt");
    expect((await provider.send(message(), abandon.signal)).kind).toBe("try_again");
    expect(sandbox.stats().requests).toBe(1);
  });

  it("a connection that the server closes after each answer costs no message and doubles none", async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      request.resume().on("end", () => {
        requests += 1;
        response.writeHead(202, { Connection: "close" }).end();
      });
    });
    const provider = providerFor(url, { inFlight: 3 });
    const outcomes = await Promise.all(Array.from({ length: 60 }, (_, at) => provider.send(message({ messageId: `m${at}` }), never)));
    expect(outcomes.every(({ kind }) => kind === "accepted")).toBe(true);
    expect(requests).toBe(60);
  });

  it("connections cut at random leave no message posted twice", async () => {
    const provider = providerFor(sandbox.url, { inFlight: 8 });
    sandbox.setFaults([
      { cut: "after", share: 0.2, seed: 7 },
      { cut: "before", share: 0.2, seed: 8 },
    ]);
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, at) => provider.send(message({ messageId: `m${at}` }), never)));
    expect(sandbox.stats().requests).toBe(200);
    const kinds = new Set(outcomes.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(["accepted", "in_doubt"]));
  });
});

describe("configuration", () => {
  it.each(["http://api.sendgrid.com", "ftp://127.0.0.1", "nonsense", "https://user:secret@api.sendgrid.com"])(
    "refuses the endpoint %s without repeating a secret",
    (endpoint) => {
      const attempt = (): Provider => providerFor(endpoint);
      expect(attempt).toThrow(/endpoint/u);
      expect(attempt).not.toThrow(/secret/u);
    },
  );

  it("wants a key for a real endpoint and for a relay on this machine, and none for the sandbox", async () => {
    expect(() => providerFor("https://api.sendgrid.com", { apiKey: null })).toThrow(/no SendGrid key/u);
    expect(() => providerFor("https://api.sendgrid.com", { apiKey: "SG.a\nb" })).toThrow(/character/u);
    const anyKey = await startSandbox({ port: 0 });
    open.push(anyKey);
    expect(() => providerFor(anyKey.url, { apiKey: null })).toThrow(/no SendGrid key/u);
    expect(await providerFor(anyKey.url, { apiKey: null, sandbox: true }).send(message(), never)).toMatchObject({ kind: "accepted" });
  });
});

describe("the key", () => {
  it("is taken out whatever its form, and wherever an answer is cut", async () => {
    const key = "a-key-without-the-usual-prefix";
    for (const before of [0, 190, 480, 16_370]) {
      const url = await serve((request, response) => {
        request.resume().on("end", () => response.writeHead(400).end(`${"-".repeat(before)}${key}, ${request.headers.authorization ?? ""}`));
      });
      const outcome = await providerFor(url, { apiKey: key }).send(message(), never);
      expect(outcome).toMatchObject({ kind: "rejected" });
      expect(JSON.stringify(outcome)).not.toMatch(/a-key|prefix/u);
      expect(JSON.stringify(outcome).length).toBeLessThan(600);
    }
  });

  it("is in no outcome, error, inspection, log or kept message", async () => {
    const seen: string[] = [];
    const streams = [process.stdout, process.stderr] as const;
    const writes = streams.map((stream) => stream.write);
    for (const stream of streams) {
      stream.write = (chunk: string | Uint8Array) => {
        seen.push(String(chunk));
        return true;
      };
    }
    try {
      const echo = await serve((request, response) => {
        request.resume().on("end", () => response.writeHead(400).end(`you sent ${request.headers.authorization ?? ""} and ${KEY}`));
      });
      const broken = await serve((request) => request.socket.end(`HTTP/1.1 ${KEY} nonsense\r\nAuthorization: Bearer ${KEY}\r\n\r\n`));
      const closed = await startSandbox({ port: 0 });
      await closed.close();
      const providers = [echo, broken, closed.url, sandbox.url].map((url) => providerFor(url));
      for (const provider of providers) {
        seen.push(JSON.stringify(await provider.send(message(), never)));
        seen.push(JSON.stringify(await provider.send(message({ from: null, subject: KEY }), never)));
        seen.push(inspect(provider, { depth: 20, showHidden: true }), JSON.stringify(provider));
      }
      for (const fault of [{ status: 401 }, { status: 429, resetInSeconds: 1 }, { status: 500 }, { cut: "before" as const }]) {
        sandbox.setFaults([fault]);
        seen.push(inspect(await providers[3]?.send(message(), never), { depth: 20, showHidden: true }));
      }
      for (const wrong of [{ endpoint: "http://api.sendgrid.com" }, { endpoint: "https://api.sendgrid.com", apiKey: `${KEY}\n${KEY}` }]) {
        try {
          providerFor(wrong.endpoint, wrong);
        } catch (error) {
          seen.push(inspect(error, { depth: 20, showHidden: true }));
        }
      }
      seen.push(inspect(sandbox, { depth: 20, showHidden: true }), JSON.stringify(sandbox.messages()));
    } finally {
      streams.forEach((stream, at) => (stream.write = writes[at] as typeof stream.write));
    }
    expect(seen.length).toBeGreaterThan(20);
    expect(seen.filter((text) => text.includes(KEY) || text.includes(KEY.slice(3)))).toEqual([]);
    expect(seen.join("\n")).toContain("[redacted]");
  });
});
