/** A real dbt. */
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { environment } from "../support/python-environment.js";

const run = promisify(execFile);

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
  // Wheels alone: nothing of a package is run to install it.
  const own = await environment("dbt", python, join(import.meta.dirname, "requirements.txt"), ["--only-binary", ":all:"]);
  return join(dirname(own), "dbt");
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
