/** A real dbt in a virtual environment of its own, made once and kept beside node_modules' other caches. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
const CACHE = join(import.meta.dirname, "../../node_modules/.cache");

/** DBT_PYTHON or python3, if it runs and is 3.10 or later; null otherwise. */
export async function findPython(): Promise<string | null> {
  const python = process.env["DBT_PYTHON"] ?? "python3";
  try {
    await run(python, ["-c", "import sys, venv; sys.exit(sys.version_info < (3, 10))"]);
    return python;
  } catch {
    return null;
  }
}

/** The path of `dbt`, installed from PyPI at the versions of requirements.txt unless it is there. */
export async function installDbt(python: string): Promise<string> {
  const environment = join(CACHE, `dbt-${createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex").slice(0, 12)}`);
  const dbt = join(environment, "bin/dbt");
  const complete = join(environment, "complete");
  if (existsSync(complete)) return dbt;
  rmSync(environment, { recursive: true, force: true });
  await run(python, ["-m", "venv", environment]);
  // Wheels alone: nothing of a package is run to install it.
  await run(join(environment, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--requirement", REQUIREMENTS]);
  // Whatever broke off before leaves no mark, and is made anew.
  writeFileSync(complete, "");
  return dbt;
}

/** Runs dbt in a project that holds its own profiles.yml. @throws with dbt's own words */
export async function runDbt(dbt: string, project: string, ...args: readonly string[]): Promise<void> {
  const env = { ...process.env, DBT_SEND_ANONYMOUS_USAGE_STATS: "false", DBT_PROFILES_DIR: project, NO_COLOR: "1" };
  try {
    await run(dbt, [...args], { cwd: project, env });
  } catch (error) {
    throw new Error(`dbt ${args.join(" ")}: ${(error as { stdout?: string }).stdout ?? String(error)}`, { cause: error });
  }
}
