/** The grammars are installed into a folder of their own, once: 354 MB that `npm ci` need not bring. */
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { thrice } from "../support/thrice.js";

const run = promisify(execFile);

const WANTED = join(import.meta.dirname, "tools");
const FILES = ["package.json", "package-lock.json"];
/** Beside what the project makes of itself: gone with a clean checkout, kept between runs. */
const TOOLS = join(import.meta.dirname, "../../target/grammar");
const STAMP = join(TOOLS, "installed");
/** 354 MB, within seconds where the registry is near. ms */
const INSTALL_TIMEOUT = 300_000;

/** Where the packages are; null without them. */
export function installedGrammars(): string | null {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted() ? join(TOOLS, "node_modules") : null;
}

function wanted(): string {
  return FILES.map((file) => readFileSync(join(WANTED, file), "utf8")).join("");
}

export async function setup(): Promise<void> {
  if (installedGrammars() !== null) return;
  rmSync(TOOLS, { recursive: true, force: true });
  mkdirSync(TOOLS, { recursive: true });
  for (const file of FILES) copyFileSync(join(WANTED, file), join(TOOLS, file));
  try {
    // Nothing of a package is run to install it. Both say that they want a newer Node than 20.19, and run on it.
    await thrice(() => run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: TOOLS, timeout: INSTALL_TIMEOUT }));
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr ?? error);
    const last = /^npm error (?!code|syscall|errno).*$/m.exec(said)?.[0] ?? said.trim();
    const text = `npm run test:grammar could not install the grammars, and skips its tests: ${last}`;
    if (process.env["CI"] !== undefined) throw new Error(text, { cause: error });
    process.stderr.write(`${text}\n`);
    return;
  }
  // Whatever broke off before leaves no mark, and is made anew.
  writeFileSync(STAMP, wanted());
}
