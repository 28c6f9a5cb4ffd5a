/** The page in a project: the decision behind a mail, and a preview that follows the files. */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";
import { edit, onceFree, opportune, shop, start, temporaryFolder, type Running } from "../commands/support.js";
import { post } from "./mail.js";
import { axeFaults, openPage, screenshots, type Opened } from "./support.js";

const running: Running[] = [];
const opened: Opened[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) {
    expect(one.left()).toEqual([]);
    await one.close();
  }
  for (const { child, done } of running.splice(0)) {
    child.kill("SIGINT");
    expect(await done).toMatchObject({ code: 0 });
  }
});

/** Starts a command that serves a page, on a free port, and opens it. */
async function serve(root: string, ...args: string[]): Promise<{ page: Page; url: string; command: Running }> {
  const command = start(root, [...args, "--port", "0"]);
  running.push(command);
  const [url = ""] = await command.seen(/http:\/\/127\.0\.0\.1:\d+/);
  await command.seen(/Ctrl-C ends it/);
  const one = await openPage(url);
  opened.push(one);
  return { page: one.page, url, command };
}

const mail = (page: Page) => page.frameLocator("iframe");
const problem = (page: Page) => page.locator(".problems li");

describe("the decision behind a mail", () => {
  it("comes from the ledger of the project's target, and is asked for again once the file is free", async () => {
    const root = await shop();
    const { page, url } = await serve(root, "sandbox");
    edit(root, "opportune.yml", "{provider: outbox, from:", `{provider: sendgrid, sandbox: true, endpoint: "${url}", api_key: SG.sandbox, from:`);
    const ran = await opportune(root, ["run", "--select", "cart_abandoned"]);
    expect(ran.code, ran.stderr).toBe(0);
    await page.getByRole("option").nth(4).waitFor();
    await page.getByRole("option").filter({ hasText: "u3@example.com" }).click();
    await mail(page).getByText("Hello u3").waitFor();

    const held = await onceFree(join(root, "shop.duckdb"));
    await page.getByRole("tab", { name: "Decision" }).click();
    await problem(page).filter({ hasText: "shop.duckdb is held by" }).waitFor();
    expect(await axeFaults(page)).toEqual([]);
    held.closeSync();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "cart_abandoned · nudge" }).waitFor();
    const story = await page.getByRole("tabpanel").innerText();
    expect(story).toMatch(/For user u3, because of the behaviour of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\. Due .* until .* by email\./);
    expect(await page.locator(".story li strong").allInnerTexts()).toEqual(["claimed", "sending", "accepted"]);
    expect(story).toContain("accepted by the provider: its id there is ");
    expect(await axeFaults(page)).toEqual([]);
    await screenshots(page, "decision");

    // The warehouse was closed again: another process can write.
    expect((await opportune(root, ["run"])).code).toBe(0);
    await post(url, { messageId: "0cc175b9c0f1b6a831c399e269772661", subject: "From elsewhere" });
    await page.getByRole("option").filter({ hasText: "From elsewhere" }).click();
    await problem(page).filter({ hasText: 'The ledger of target dev knows no message "0cc175b9c0f1b6a831c399e269772661".' }).waitFor();
  });

  it("needs a project, and a target that there is", async () => {
    const { page, url } = await serve(temporaryFolder(), "sandbox");
    await post(url);
    await page.getByRole("tab", { name: "Decision" }).click();
    await problem(page).filter({ hasText: "This sandbox knows no project." }).waitFor();
    const wrong = await opportune(await shop(), ["sandbox", "--target", "nowhere", "--port", "0"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("nowhere");
  });
});

describe("preview --watch", () => {
  it("renders anew as templates and segments change, and shows what is wrong by file and line", async () => {
    const root = await shop();
    const { page, command } = await serve(root, "preview", "cart_abandoned", "--watch", "--user", "u2");
    await mail(page).getByText("Hello u2, your cart of 20 is saved.").waitFor();
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("Preview of cart_abandoned");
    expect(await page.getByRole("tab").allInnerTexts()).toEqual(["HTML", "Text", "Headers", "Links 0", "Source"]);
    expect(await page.locator("#provider, #clear, #find").filter({ visible: true }).count()).toBe(0);

    edit(root, "templates/cart.hbs", "is saved", "is waiting");
    await mail(page).getByText("Hello u2, your cart of 20 is waiting.").waitFor();
    edit(root, "templates/cart.hbs", "Your cart of", "The cart of");
    await page.getByRole("heading", { name: "The cart of 20" }).waitFor();
    expect(await page.getByRole("option").innerText()).toContain("The cart of 20");

    edit(root, "templates/cart.hbs", "{{user_id}}", "{{#if}}");
    await problem(page)
      .filter({ hasText: /templates\/cart\.hbs:[67]/ })
      .waitFor();
    expect(await axeFaults(page)).toEqual([]);
    expect(await mail(page).getByText("is waiting").isVisible()).toBe(true);
    await screenshots(page, "preview-problem");
    edit(root, "templates/cart.hbs", "{{#if}}", "{{usr_id}}");
    await problem(page).filter({ hasText: "usr_id" }).waitFor();
    edit(root, "templates/cart.hbs", "{{usr_id}}", "{{user_id}}");
    await problem(page).waitFor({ state: "detached" });

    edit(root, "segments/cart_abandoned.sql", "updated_at as occurred_at, total", "updated_at as occurred_at, totl");
    await problem(page).filter({ hasText: "segments/cart_abandoned.sql:11" }).waitFor();
    edit(root, "segments/cart_abandoned.sql", "totl", "total * 2 as total");
    await mail(page).getByText("your cart of 40 is waiting").waitFor();
    edit(root, "segments/cart_abandoned.sql", "template: cart}", "template: cart}\n  - {name: later, after: 1 day, channel: email, template: cart}");
    await page.getByRole("option").nth(1).waitFor();
    expect(await page.getByRole("option").allInnerTexts()).toEqual([expect.stringContaining("nudge"), expect.stringContaining("later")]);
    edit(root, "opportune.yml", "Shop <shop@example.com>", "The shop <shop@example.com>");
    await page.locator("#facts").getByText("The shop <shop@example.com>").waitFor();
    await screenshots(page, "preview");
    expect((await command.seen(/rendered 2 messages/))[0]).toBeDefined();
    // In between the warehouse is free; while another has it, the page says so and asks again by itself.
    const held = await onceFree(join(root, "shop.duckdb"));
    edit(root, "templates/cart.hbs", "is waiting", "is there");
    await problem(page).filter({ hasText: "shop.duckdb is held by" }).waitFor();
    held.closeSync();
    await mail(page).getByText("is there").waitFor();
    await problem(page).waitFor({ state: "detached" });
  });

  it("begins with files that are wrong, and shows other channels as text", async () => {
    const root = await shop();
    edit(root, "templates/cart.hbs", "{{total}}", "{{total");
    const { page, command } = await serve(root, "preview", "cart_abandoned", "--watch");
    await problem(page).filter({ hasText: "templates/cart.hbs:2" }).waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await command.seen(/templates\/cart\.hbs:2.*\n/);
    edit(root, "templates/cart.hbs", "{{total", "{{total}}");
    await mail(page).getByText("Hello u0").waitFor();
    edit(root, "opportune.yml", "channels:", "channels:\n  push: {provider: outbox}");
    edit(root, "segments/cart_abandoned.sql", "channel: email", "channel: push");
    edit(root, "segments/cart_abandoned.sql", "email, timezone", "'token' as device_token, timezone");
    edit(root, "templates/cart.hbs", "layout: none\n---\n<p>Hello {{user_id}}, your cart of {{total}} is saved.</p>", "---\nHello {{user_id}}");
    edit(root, "templates/cart.hbs", 'preheader: It is still "there"\n', "");
    edit(root, "segments/cart_waiting.sql", "channel: email", "channel: push");
    edit(root, "segments/cart_waiting.sql", "email,", "'t' as device_token,");
    edit(root, "segments/win_back.sql", "channel: email", "channel: push");
    edit(root, "segments/win_back.sql", "email,", "'t' as device_token,");
    await page.locator("pre.text").filter({ hasText: "Hello u0" }).waitFor();
    expect(await page.getByRole("tab").allInnerTexts()).toEqual(["Text", "Headers", "Source"]);
  });

  it("refuses what no edit makes right", async () => {
    const root = await shop();
    const unknown = await opportune(root, ["preview", "cart_abandond", "--watch", "--port", "0"]);
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(unknown.stderr).toContain('Did you mean "cart_abandoned"?');
    const both = await opportune(root, ["preview", "cart_abandoned", "--watch", "--send-to", "me@example.com"]);
    expect(both.stderr).toContain("--watch and --send-to exclude each other.");
  });
});
