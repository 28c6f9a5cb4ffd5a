/** `on_alert` of a target: whom to tell, and what of it is a secret. */
import { expect, test } from "vitest";
import { loadProject } from "../../src/project/build/load.js";
import { secretsOf } from "../../src/project/build/secrets.js";
import { BASE, linesOf, problemsOf, projectFolder, type Files } from "./support.js";

const withAlert = (alert: string, more = ""): Files => ({
  ...BASE,
  "opportune.yml": String(BASE["opportune.yml"]).replace("path: shop.duckdb}", `path: shop.duckdb, on_alert: ${alert}}`) + more,
});

test("a command, with what is told by default", () => {
  const load = (files: Files): unknown => loadProject(projectFolder(files), { env: {} }).target.onAlert;
  const usual = { command: ["./page.sh", "shop"], webhook: null, on: ["failed", "held", "silent"], silentAfterSeconds: 3600, timeoutSeconds: 10 };
  expect(load(withAlert("{command: [./page.sh, shop]}"))).toEqual(usual);
  expect(load(withAlert("{command: [./page.sh, shop]}", "interval: 30 minutes\n"))).toEqual({ ...usual, silentAfterSeconds: 5400 });
  expect(load(BASE)).toBeNull();
});

test("a webhook, whose URL and headers are secrets", () => {
  const files = withAlert(
    '{webhook: {url: "${HOOK}", headers: {Authorization: "Bearer ${TOKEN}"}}, on: [held, silent], silent_after: 2 hours, timeout: 3 seconds}',
  );
  const project = loadProject(projectFolder(files), { env: { HOOK: "https://hooks.example.com/a-secret", TOKEN: "a-token" } });
  expect(project.target.onAlert).toEqual({
    command: null,
    webhook: { url: "https://hooks.example.com/a-secret", headers: { Authorization: "Bearer a-token" } },
    on: ["held", "silent"],
    silentAfterSeconds: 7200,
    timeoutSeconds: 3,
  });
  expect(secretsOf(project)).toEqual(["https://hooks.example.com/a-secret", "Bearer a-token", "a-token"]);
});

test("what can't go well is refused, without showing where it goes", () => {
  expect(linesOf(problemsOf(withAlert("{on: [failed]}")))).toEqual(["opportune.yml:3:52: targets.dev.on_alert tells nobody. | Add command: or webhook:"]);
  expect(linesOf(problemsOf(withAlert("{command: page.sh}")))).toEqual([expect.stringContaining('targets.dev.on_alert.command is "page.sh"; expected a list')]);
  const [plain = ""] = linesOf(problemsOf(withAlert("{webhook: {url: http://hooks.example.com/a-secret}}")));
  expect(plain).toContain("targets.dev.on_alert.webhook.url is not shown here; expected a URL beginning with https://");
  const [header = ""] = linesOf(problemsOf(withAlert('{webhook: {url: https://example.com, headers: {Authorization: "a-secret\\nX: y"}}}')));
  expect(header).toContain("targets.dev.on_alert.webhook.headers.Authorization is not shown here; expected text on one line");
  expect(plain + header).not.toContain("a-secret");
});
