import { describe, expect, test } from "vitest";
import { OpportuneError } from "../../src/core/errors.js";
import { loadProject } from "../../src/project/build/load.js";
import { CASES } from "./cases.js";
import { BASE, edited, linesOf, problemsOf, projectFolder } from "./support.js";

test("the ground of all cases is a valid project", () => {
  expect(loadProject(projectFolder(BASE), { env: {} }).segments.size).toBe(1);
});

describe("broken projects", () => {
  test.each(CASES)("$name", ({ files, options, expected }) => {
    expect(linesOf(problemsOf(files, options))).toEqual(expected);
  });

  test("what a message quotes stands at the place it names", () => {
    let quoting = 0;
    for (const { files, expected } of CASES) {
      for (const line of expected) {
        const [, file = "", at, column, quoted = ""] = /^([^:]+):(\d+):(\d+): (?:Unknown \w+|\S+ is) ("[^"]*"|\d+)/.exec(line) ?? [];
        const content = files[file];
        if (typeof content !== "string" || line.includes("--target")) continue;
        const here = content.split("\n")[Number(at) - 1]?.slice(Number(column) - 1) ?? "";
        const bare = quoted.replaceAll('"', "");
        expect(here.replace(/^["']/, "").startsWith(bare), `${line}\nbut there: ${here}`).toBe(true);
        quoting += 1;
      }
    }
    expect(quoting).toBeGreaterThan(30);
  });

  test("each is told in full sentences, which only a key begins without a capital", () => {
    for (const { files, options, expected } of CASES) {
      for (const { message, hint = "Do." } of problemsOf(files, options)) {
        expect(message, expected[0]).toMatch(/^(?:[^a-z]|\S*[._]|[a-z]+ (?:is|has|holds|names|needs|stands|tells)\b)[^]*[.?!…]$/);
        expect(hint, expected[0]).toMatch(/^[^a-z][^]*[.?!…:]$/);
      }
    }
  });

  test("no two cases have the same name", () => {
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  });
});

test("a folder without opportune.yml points to init", () => {
  const root = projectFolder({ "readme.md": "" });
  const load = (): unknown => loadProject(root, { env: {} });
  expect(load).toThrow(OpportuneError);
  expect(load).toThrow(`There is no opportune.yml in ${root}.\n    Begin one with \`opportune init\`, or name its folder.`);
});

describe("secrets", () => {
  const SECRET = "SG.very-secret";
  const channel = (entry: string): typeof BASE => edited("opportune.yml", "{provider: outbox}", entry);

  test.each([
    ["filled in where it doesn't fit", channel('{provider: "${KEY}", api_key: "${KEY}"}')],
    ["filled in as an endpoint", channel('{provider: sendgrid, api_key: "${KEY}", endpoint: "${KEY}"}')],
    ["filled in as a name of something", edited("opportune.yml", "sources:", 'policy: {exclude: ["${KEY}"], timezone: "${KEY}"}\nsources:')],
    ["filled in as the target", edited("opportune.yml", "name: shop", 'name: shop\ntarget: "${KEY}"')],
    ["written in a list", channel(`{provider: sendgrid, api_key: [${SECRET}]}`)],
    ["written in place of the channel", channel(SECRET)],
    ["written in place of the channels", edited("opportune.yml", "channels:\n  email: {provider: outbox}", `channels: ${SECRET}`)],
    ["written in place of the links", edited("opportune.yml", "sources:", `links: ${SECRET}\nsources:`)],
    ["in broken YAML, after a quoted text", channel(`{provider: sendgrid, api_key: "" ${SECRET}}`)],
    ["in broken YAML, after a bar", edited("opportune.yml", "sources:", `vars:\n  a: |${SECRET}\nsources:`)],
    ["in broken YAML, alone in a line", edited("opportune.yml", "sources:", `"x" ${SECRET}\nsources:`)],
    ["half a reference", channel(`{provider: sendgrid, api_key: "${SECRET}\${"}`)],
  ])("%s: not in the message", (_name, files) => {
    const lines = linesOf(problemsOf(files, { env: { KEY: SECRET } }));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join("\n")).not.toContain("very-secret");
  });

  test("an unfit secret is named by its reference", () => {
    const files = edited("opportune.yml", "sources:", 'links: {unsubscribe_url: "${URL}", unsubscribe_secret: 5}\nsources:');
    expect(linesOf(problemsOf(files, { env: { URL: "http://shop.example/?key=1" } }))).toEqual([
      'opportune.yml:6:26: links.unsubscribe_url is "${URL}" (from the environment); expected a URL beginning with https:// (http:// for this machine only).',
      "opportune.yml:6:56: links.unsubscribe_secret is not shown here; expected text.",
    ]);
  });
});

describe("what one slip leaves standing", () => {
  test("a segment whose front matter is broken is still known, and its SQL still checked", () => {
    const files = {
      ...BASE,
      "segments/broken.sql": "/*---\nid: [\n---*/\nselect * from {{source 'cards'}}\n",
      "segments/more/broken.sql": String(BASE["segments/cart.sql"]),
    };
    expect(linesOf(problemsOf(files))).toEqual([
      "segments/broken.sql:3:1: Broken YAML: Flow sequence in block collection must be sufficiently indented and end with a ].",
      'segments/broken.sql:4:24: Unknown source "cards"; known: carts. | Did you mean "carts"?',
      'segments/more/broken.sql:2:1: The segment "broken" is already in segments/broken.sql. | Give one of them another id:',
    ]);
  });

  test("with opportune.yml unreadable, nothing of it is called unknown", () => {
    const files = edited("opportune.yml", "name: shop", "name: [shop");
    expect(problemsOf(files).map(({ code }) => code)).toEqual(["config/yaml"]);
  });

  test("an invalid audience is still an audience", () => {
    const files = { ...BASE, "segments/audiences/ordered.sql": "/*---\nmin_row: 1\n---*/\nselect 1\n" };
    expect(problemsOf(files).map(({ code }) => code)).toEqual(["config/unknown-key"]);
  });

  test("another target's slips are reported, its missing variables are not", () => {
    const files = edited("opportune.yml", "channels:", '  prod: {type: duckdb, path: "${PROD}", schema: "${SCHEMA}", thread: 1}\nchannels:');
    expect(linesOf(problemsOf(files, { target: "dev" }))).toEqual([
      'opportune.yml:4:62: Unknown key "thread" in targets.prod; allowed: type, path, schema, live, allow, outbox, on_alert, wait_for_lock, memory_limit, threads. | Did you mean "threads"?',
    ]);
    expect(problemsOf(files, { target: "prod" }).map(({ code }) => code)).toEqual(["config/environment", "config/environment", "config/unknown-key"]);
  });

  test("a URL whose variable nobody set is missing, not wrong; another target's stops nothing", () => {
    const files = edited("opportune.yml", "channels:", '  prod: {type: postgres, url: "${DATABASE_URL}"}\nchannels:');
    expect(loadProject(projectFolder(files), { target: "dev", env: {} }).target.name).toBe("dev");
    expect(problemsOf(files, { target: "prod" }).map(({ code }) => code)).toEqual(["config/environment"]);
    expect(problemsOf(files, { target: "prod", env: { DATABASE_URL: "db.example.com/shop" } }).map(({ code }) => code)).toEqual(["config/postgres-url"]);
  });

  test("a secret whose variable nobody set is missing, not weak", () => {
    const files = edited("opportune.yml", "sources:", 'links: {unsubscribe_url: "https://a.example/u", unsubscribe_secret: "${SECRET}"}\nsources:');
    expect(problemsOf(files, {}).map(({ code }) => code)).toEqual(["config/environment"]);
    expect(problemsOf(files, { env: { SECRET: "short" } }).map(({ code }) => code)).toEqual(["config/weak-secret"]);
  });
});
