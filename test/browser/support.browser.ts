import { statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { axeFaults, focused, openPage, press, screenshots, type Opened } from "./support.js";

/** A page that does everything that the checks are to find. */
const FAULTY = `<!doctype html><html><head><title>x</title></head><body>
<img src="http://images.example/a.png"><link rel="stylesheet" href="https://styles.example/a.css">
<button>First</button><a href="#x">Second</a><p style="color:#ccc;background:#fff">pale</p>
<script>throw new Error("thrown")</script></body></html>`;

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

async function open(html: string): Promise<Opened> {
  const server = createServer((_request, response) => response.writeHead(200, { "Content-Type": "text/html" }).end(html));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const opened = await openPage(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`);
  close = async () => {
    await opened.close();
    server.closeAllConnections();
    server.close();
  };
  return opened;
}

it("finds what it is for: requests that leave, scripts that throw, faults of accessibility", async () => {
  const { page, errors, left } = await open(FAULTY);
  expect(left().sort()).toEqual(["CONNECT styles.example:443", "GET http://images.example/a.png"]);
  expect(errors).toContain("thrown");
  const faults = (await axeFaults(page)).map((line) => line.split(":")[0]);
  expect(faults).toEqual(expect.arrayContaining(["color-contrast", "html-has-lang", "image-alt"]));
  const files = await screenshots(page, "support");
  expect(files).toHaveLength(6);
  expect(files.map((file) => statSync(file).size > 1000)).not.toContain(false);
});

it("walks with keys, and says what has the focus", async () => {
  const { page } = await open(FAULTY);
  await press(page, "Tab", /First/);
  expect(await focused(page)).toBe("button First");
  await press(page, "Tab", /link Second/);
  await expect(press(page, "Tab", /nothing of the kind/)).rejects.toThrow("it met");
});
