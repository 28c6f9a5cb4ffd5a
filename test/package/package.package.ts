/**
 * What a newcomer does with the package alone: docs/tutorial.md word for word, and the shipped example.
 * `UPDATE_DOCS=1 npm run test:package` writes the tutorial's outputs anew.
 */
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf } from "../support/docs.js";

const ROOT = join(import.meta.dirname, "../..");
const TUTORIAL = join(ROOT, "docs/tutorial.md");
const run = promisify(execFile);

const scratch = mkdtempSync(join(tmpdir(), "opportune-package-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Nothing of this checkout or of npm's own run of this suite reaches the commands. */
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(?!config_)|^VITEST|^NODE_|^INIT_CWD$|^CI$|COLOR/.test(name))),
  NO_COLOR: "1",
  COLUMNS: "120",
  // A connection to the registry that says nothing is given up long before the test is.
  npm_config_fetch_timeout: "30000",
  npm_config_fetch_retries: "5",
};

/** stdout and stderr as a terminal shows them, and the folder that the commands ended in. */
async function shell(folder: string, commands: string): Promise<{ output: string; folder: string }> {
  const marker = "\u0001folder ";
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", `exec 2>&1\n${commands}\nprintf '%s%s' '${marker}' "$PWD"`], {
    cwd: folder,
    env: environment,
  }).catch((error: unknown) => {
    throw new Error(`${commands}\n${(error as { stdout?: string }).stdout ?? String(error)}`, { cause: error });
  });
  const [output = "", ended = folder] = stdout.split(marker);
  return { output, folder: ended };
}

/** Without what differs from run to run: times, durations, ids, versions of the machine; and npm's own notices. */
function timeless(output: string): string {
  return output
    .replaceAll(/^npm (?:warn|notice).*\n/gm, "")
    .replaceAll(/\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?Z?/g, "TIME")
    .replaceAll(/(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{1,2}, \d{4}/g, "DATE")
    .replaceAll(/\d+\.\d\ds|\d+ ms|\d+ (?:hours?|minutes?|seconds?)(?: \d+ (?:minutes?|seconds?))?(?= old)/g, "DURATION")
    .replaceAll(/_[0-9a-f]{8}\b|\b[0-9a-f]{32}\b/g, "ID")
    .replaceAll(/\b\d{8}T\d{6}Z/g, "RUN")
    .replaceAll(/opportune \d+\.\d+\.\d+, Node \S+ \S+ \S+/g, "VERSIONS")
    .replaceAll(/[ .]{3,}/g, "  ")
    .trimEnd();
}

let archive = "";

beforeAll(async () => {
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", scratch], { cwd: ROOT });
  archive = join(scratch, stdout.trim().split("\n").at(-1) ?? "");
  expect(readdirSync(scratch)).toContain(stdout.trim().split("\n").at(-1));
});

describe("the package in an empty folder", () => {
  it("docs/tutorial.md, word for word", async () => {
    let folder = join(scratch, "tutorial");
    mkdirSync(folder);
    let text = readFileSync(TUTORIAL, "utf8");
    const shown: { at: string; was: string; is: string }[] = [];
    for (const { file, language, body, line } of blocksOf("docs/tutorial.md")) {
      const at = `docs/tutorial.md:${String(line)}`;
      if (file !== null) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), body);
      } else if (language === "sh") {
        // The one line that is not as written: the package is not the registry's, but this one.
        const commands = body.replace("npm install opportune\n", `npm install --no-audit --no-fund '${archive}'\n`);
        ({ folder } = await shell(folder, commands));
      } else if (language === "console") {
        let session = "";
        for (const [, command = ""] of body.matchAll(/^\$ (.*)$/gm)) {
          const { output, folder: ended } = await shell(folder, command);
          folder = ended;
          session += `${session === "" ? "" : "\n"}$ ${command}\n${output.replaceAll(/^npm (?:warn|notice).*\n/gm, "")}`;
        }
        if (process.env["UPDATE_DOCS"] !== "1") shown.push({ at, was: timeless(body), is: timeless(session) });
        // What differs in times alone stays as it is written.
        else if (timeless(body) !== timeless(session)) text = text.replace(`\`\`\`console\n${body}\`\`\``, () => `\`\`\`console\n${session}\`\`\``);
      } else {
        throw new Error(`${at} is neither a file (\`path\`: before it), nor sh, nor console`);
      }
    }
    if (process.env["UPDATE_DOCS"] === "1") {
      writeFileSync(TUTORIAL, text);
      return;
    }
    expect(shown.length).toBeGreaterThan(4);
    for (const { at, was, is } of shown) expect(is, `${at}: run UPDATE_DOCS=1 npm run test:package`).toBe(was);
  });

  it.each([
    [
      "snowflake",
      ["snowflake-sdk"],
      "SNOWFLAKE_ACCOUNT=myorg-shop SNOWFLAKE_DATABASE=d SNOWFLAKE_PRIVATE_KEY_PATH=../key.p8 SNOWFLAKE_ROLE=r SNOWFLAKE_USER=u SNOWFLAKE_WAREHOUSE=w",
    ],
    ["bigquery", ["@google-cloud/bigquery", "google-auth-library"], "BIGQUERY_PROJECT=shop-analytics"],
  ])("comes without the client of %s, and says how it is installed", async (warehouse, clients, variables) => {
    const folder = join(scratch, "tutorial/planner");
    writeFileSync(join(folder, "key.p8"), generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }));
    for (const client of clients) expect(existsSync(join(folder, "node_modules", client)), client).toBe(false);
    const { output } = await shell(
      folder,
      `npx --no-install opportune init on_${warehouse} --warehouse ${warehouse} && cd on_${warehouse} && (${variables} npx --no-install opportune run --dry-run || echo "exit $?")`,
    );
    expect(output).toContain(`\n  npm install ${clients.join(" ")}  `);
    expect(output).toContain(`Run \`npm install ${clients.join(" ")}\` beside Opportune.`);
    expect(output.trimEnd()).toMatch(/\nexit 1$/);
  });

  it("the shipped example begins and runs", async () => {
    const folder = join(scratch, "tutorial/planner");
    await shell(folder, "npx --no-install opportune init shop && cd shop && npx --no-install opportune run");
    const { output } = await shell(join(folder, "shop"), "npx --no-install opportune run --quiet --output json");
    expect(JSON.parse(output.slice(output.indexOf("{")))).toMatchObject({ status: "success" });
  });
});
