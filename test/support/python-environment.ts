/** What tests need of Python, in environments of its own: made once, kept between runs. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { thrice } from "./thrice.js";

const run = promisify(execFile);

/** Beside what the project makes of itself: gone with a clean checkout. */
const ENVIRONMENTS = join(import.meta.dirname, "../../target/python");
/** Some 100 MB each. ms */
const INSTALL_TIMEOUT = 600_000;

/** Makes the environment unless it is there with these very requirements; gives its interpreter. `options` are pip's. */
export async function environment(name: string, python: string, requirements: string, options: readonly string[] = []): Promise<string> {
  const folder = join(ENVIRONMENTS, name);
  const own = join(folder, "bin", "python");
  const stamp = join(folder, "requirements.installed");
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return own;
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements, ...options];
  await thrice(async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(ENVIRONMENTS, { recursive: true });
    await run(python, ["-m", "venv", folder]);
    await run(own, pip, { timeout: INSTALL_TIMEOUT });
  });
  // Whatever broke off before leaves no mark, and is made anew.
  writeFileSync(stamp, wanted);
  return own;
}
