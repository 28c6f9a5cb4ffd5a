/** Alerts really given: a program that is run, a server that is posted to. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { alertPayload, tell } from "../../src/alerts/tell.js";
import type { OnAlert } from "../../src/project/types.js";
import { temporaryFolder } from "../commands/support.js";
import { KEEP, listener, told } from "./support.js";

const payload = alertPayload({
  alert: "failed",
  state: "began",
  at: "2026-03-02T12:00:00Z",
  project: "shop",
  target: "prod",
  run_id: "r1",
  items: [
    { subject: "segment", name: "cart", code: "segment/query", message: "no such table", since: "2026-03-02T12:00:00Z" },
    { subject: "run", name: null, code: "warehouse/locked", message: null, since: "2026-03-02T11:00:00Z" },
  ],
});

const onAlert = (changes: Partial<OnAlert>): OnAlert => ({
  command: null,
  webhook: null,
  on: ["failed"],
  silentAfterSeconds: 3600,
  timeoutSeconds: 10,
  ...changes,
});

describe.concurrent("an alert", () => {
  it("says everything in a few words too", ({ expect }) => {
    expect(payload.text).toBe("Opportune, shop on prod: failed. segment cart (segment/query): no such table; warehouse/locked, since 2026-03-02T11:00:00Z");
    expect(alertPayload({ ...payload, state: "ended" }).text).toContain("failed, over.");
  });

  it("reaches a command on its standard input, without a shell", async ({ expect }) => {
    const root = temporaryFolder();
    expect(await tell(onAlert({ command: KEEP }), payload, root)).toEqual({ reached: true, failures: [] });
    expect(told(root)).toEqual([payload]);
    expect(existsSync(join(root, "shell"))).toBe(false);
  });

  it.for([
    [["node", "-e", "process.exit(3)"], 30, "the command node ended with exit code 3"],
    [["node", "-e", "process.kill(process.pid, 'SIGTERM')"], 30, "the command node ended with SIGTERM"],
    [["no-such-program-here"], 30, "the command no-such-program-here could not be started (ENOENT)"],
    [["node", "-e", "setInterval(() => {}, 1000)"], 0.5, "the command node took longer than 0.5 seconds and was ended"],
  ] as const)("says that %j did not take it", async ([command, timeoutSeconds, failure], { expect }) => {
    expect(await tell(onAlert({ command, timeoutSeconds }), payload, temporaryFolder())).toEqual({ reached: false, failures: [failure] });
  });

  it("is no failure where the command doesn't read it", async ({ expect }) => {
    const large = { ...payload, text: "x".repeat(1_000_000) };
    expect(await tell(onAlert({ command: ["node", "-e", ""] }), large, temporaryFolder())).toEqual({ reached: true, failures: [] });
  });
});

it("reaches a webhook with its headers, and never follows it elsewhere", async () => {
  const hook = await listener();
  const webhook = { url: hook.url, headers: { Authorization: "Bearer secret" } };
  expect(await tell(onAlert({ webhook }), payload, ".")).toEqual({ reached: true, failures: [] });
  expect(hook.posts).toMatchObject([{ headers: { authorization: "Bearer secret", "content-type": "application/json" }, body: payload }]);
  hook.status = 500;
  const host = new URL(hook.url).host;
  expect(await tell(onAlert({ webhook }), payload, ".")).toEqual({ reached: false, failures: [`the webhook at ${host} answered 500`] });
  hook.status = 307;
  expect(await tell(onAlert({ webhook }), payload, ".")).toMatchObject({ reached: false });
  expect(hook.posts).toHaveLength(3);
  hook.status = null;
  expect(await tell(onAlert({ webhook, timeoutSeconds: 0.2 }), payload, ".")).toEqual({
    reached: false,
    failures: [`the webhook at ${host} took longer than 0.2 seconds`],
  });
  hook.server.close();
  hook.server.closeAllConnections();
  const both = await tell(onAlert({ webhook, command: ["node", "-e", ""] }), payload, ".");
  expect(both).toEqual({ reached: true, failures: [expect.stringMatching(`^the webhook at ${host} could not be reached \\([A-Z_]+\\)$`)] });
});
