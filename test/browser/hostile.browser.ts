/** What a mail may not do, and what other pages on the web may not: each tried from a real browser. */
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Frame, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSandbox, type Sandbox } from "../../src/server/sandbox/sandbox.js";
import { HOSTS, hostileMail, LINK_NAMES, REFRESHING } from "./hostile.js";
import { post } from "./mail.js";
import { openPage, type Opened } from "./support.js";

let sandbox: Sandbox;
const servers: Server[] = [];
const opened: Opened[] = [];
beforeEach(async () => {
  sandbox = await startSandbox({ port: 0 });
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await sandbox.close();
});

async function open(url: string): Promise<Opened> {
  const one = await openPage(url);
  opened.push(one);
  return one;
}

/** Serves a document from another origin of this machine. */
async function serve(html: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(200, { "Content-Type": "text/html" }).end(html));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
}

async function mailFrame(page: Page): Promise<Frame> {
  const frame = await (await page.locator("iframe").elementHandle()).contentFrame();
  if (!frame) throw new Error("The page shows no mail");
  return frame;
}

/** Something that arrives afterwards is shown: whatever the mail set off has had its time. */
async function settle(page: Page): Promise<void> {
  await post(sandbox.url, { subject: "Afterwards" });
  await page.getByRole("option").filter({ hasText: "Afterwards" }).waitFor();
}

describe("a hostile mail", () => {
  it("does all this where nothing holds it back", async () => {
    const one = await open(await serve(hostileMail(sandbox.url).replaceAll(/top\.location[^;}]*/g, "0")));
    await expect.poll(() => HOSTS.filter((host) => !one.left().some((line) => line.includes(host)))).toEqual([]);
    const refreshing = await open(await serve(REFRESHING));
    await expect.poll(() => refreshing.left()).toEqual(["GET http://refresh.example/"]);
  });

  it("does nothing in the page, by itself or clicked", async () => {
    await post(sandbox.url, { subject: "Hostile", html: hostileMail(sandbox.url) });
    const { page, left } = await open(sandbox.url);
    const stats = sandbox.stats();
    const frame = await mailFrame(page);
    await frame.getByText("plain", { exact: true }).waitFor();
    const at = { page: page.url(), frame: frame.url() };
    const title = await page.title();

    for (const name of LINK_NAMES) {
      await frame.getByText(name, { exact: true }).click();
      await frame.getByText(name, { exact: true }).press("Enter");
    }
    await frame.getByLabel("field").press("Enter");
    await frame.getByRole("button", { name: "send" }).click();
    await frame.getByRole("button", { name: "own", exact: true }).click();
    await frame.getByRole("button", { name: "go" }).click();
    expect(sandbox.stats()).toEqual(stats);
    await settle(page);

    expect(left()).toEqual([]);
    expect({ page: page.url(), frame: frame.url() }).toEqual(at);
    expect(page.context().pages()).toHaveLength(1);
    expect(await page.title()).toBe(title.replace("1 email", "2 emails"));
    expect(await frame.title()).not.toBe("hostile");
    expect(await page.getByRole("tabpanel").innerText()).toMatch(
      /Scripts, forms and links do nothing here, and remote images and styles are blocked\.\s+\d+ blocked: http/,
    );
    // Its links can be read.
    await page.getByRole("tab", { name: "Links 7" }).click();
    expect(await page.getByRole("tabpanel").innerText()).toContain("javascript:top.location=");
  });

  it("can't refresh itself to another page", async () => {
    await post(sandbox.url, { html: REFRESHING });
    const { page, left } = await open(sandbox.url);
    const frame = await mailFrame(page);
    await frame.getByText("still here").waitFor();
    await settle(page);
    expect(await frame.getByText("still here").isVisible()).toBe(true);
    expect(left()).toEqual([]);
  });

  it("is as harmless in a window of its own", async () => {
    await post(sandbox.url, { html: hostileMail(sandbox.url) });
    const id = sandbox.messages()[0]?.id ?? "";
    const { page, left } = await open(`${sandbox.url}/page/messages/${id}/html`);
    await page.getByText("plain", { exact: true }).waitFor();
    await page.getByRole("button", { name: "send" }).click();
    expect(await page.evaluate(() => [origin, document.title])).toEqual(["null", ""]);
    expect(page.url()).toBe(`${sandbox.url}/page/messages/${id}/html`);
    expect(left()).toEqual([]);
  });
});

describe("another page on the web", () => {
  it("can neither steer the sandbox, nor read it, nor frame it", async () => {
    await post(sandbox.url, { subject: "Private" });
    const { page, errors } = await open(await serve(`<!doctype html><title>elsewhere</title><iframe src="${sandbox.url}/"></iframe>`));
    const answers = await page.evaluate(async (url) => {
      const tries: [string, RequestInit][] = [
        ["/sandbox/faults", { method: "PUT", body: '{"status":500}' }],
        ["/sandbox/messages", { method: "DELETE" }],
        ["/sandbox/faults", { method: "POST", mode: "no-cors", body: '{"status":500}' }],
        ["/v3/mail/send", { method: "POST", mode: "no-cors", body: "{}" }],
        ["/page/messages", {}],
        ["/page/events", {}],
        ["/page/messages", { mode: "no-cors" }],
      ];
      return Promise.all(
        tries.map(async ([path, init]) => {
          try {
            const response = await fetch(url + path, init);
            return `${response.type} ${String(response.status)} ${await response.text()}`;
          } catch {
            return "refused";
          }
        }),
      );
    }, sandbox.url);
    // An opaque answer tells nothing; what it was is seen below.
    expect(answers).toEqual(["refused", "refused", "opaque 0 ", "opaque 0 ", "refused", "refused", expect.stringMatching(/^(refused|opaque 0 )$/)]);
    expect(await (await fetch(`${sandbox.url}/sandbox/faults`)).json()).toEqual([]);
    expect(sandbox.messages()).toHaveLength(1);
    expect(sandbox.stats()).toMatchObject({ requests: 1, accepted: 1 });
    expect(errors.join("\n")).toMatch(/frame-ancestors 'none'/);
    expect(await page.frames()[1]?.locator("#title").count()).toBe(0);
  });

  it("gets nothing by a name of its own for this machine", async () => {
    await post(sandbox.url, { subject: "Private" });
    const id = sandbox.messages()[0]?.id ?? "";
    const statusOf = (path: string, method: string, host: string): Promise<number> =>
      new Promise((resolve, reject) => {
        request(`${sandbox.url}${path}`, { method, headers: { host } }, (response) => {
          response.destroy();
          resolve(response.statusCode ?? 0);
        })
          .on("error", reject)
          .end();
      });
    const own = new URL(sandbox.url).host;
    for (const path of ["/", "/page/main.js", "/page/events", "/page/messages", `/page/messages/${id}`, `/page/messages/${id}/html`]) {
      expect(await statusOf(path, "GET", "rebound.example"), path).toBe(403);
      expect(await statusOf(path, "GET", own), path).toBe(200);
    }
    expect(await statusOf("/sandbox/messages", "DELETE", "rebound.example")).toBe(403);
    expect(sandbox.messages()).toHaveLength(1);
  });
});
