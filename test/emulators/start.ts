/** Starts what `npm run test:warehouses` runs against, unless a variable names a server that is there already. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BIGQUERY_TARGET_VARIABLE, BIGQUERY_URLS_VARIABLE } from "../support/bigquery.js";
import { freePort } from "../support/free-port.js";
import { SNOWFLAKE_TARGET_VARIABLE, SNOWFLAKE_URL_VARIABLE } from "../support/snowflake.js";
import { environment } from "../support/python-environment.js";
import { findPython, startEmulator, type Emulator } from "./python.js";

const HERE = import.meta.dirname;

export async function setup(): Promise<() => Promise<void>> {
  const started = await Promise.all([
    unlessNamed([SNOWFLAKE_URL_VARIABLE, SNOWFLAKE_TARGET_VARIABLE], snowflake),
    unlessNamed([BIGQUERY_URLS_VARIABLE, BIGQUERY_TARGET_VARIABLE], bigQuery),
  ]);
  return async () => {
    for (const emulator of started.flat()) await emulator.stop();
  };
}

/** Unless servers or an account are named already. */
async function unlessNamed([variable, account]: readonly [string, string], start: () => Promise<Emulator[]>): Promise<Emulator[]> {
  if (process.env[variable] !== undefined || process.env[account] !== undefined) return [];
  const emulators = await start();
  if (emulators.length > 0) process.env[variable] = emulators.map(({ url }) => url).join(" ");
  return emulators;
}

async function snowflake(): Promise<Emulator[]> {
  const python = await findPython("python3", "OPPORTUNE_TEST_PYTHON");
  if (python === null) return missing("Snowflake's emulator", "python3 with its venv module (Debian: apt-get install python3-venv)");
  const own = await environment("snowflake", python, join(HERE, "snowflake-requirements.txt"));
  return [await startEmulator(own, (port) => [join(HERE, "snowflake_server.py"), String(port)], "/health")];
}

/** One for each of the two processes that run tests: it is slow, and works for one at a time. */
async function bigQuery(): Promise<Emulator[]> {
  const python = await findPython("python3.13", "OPPORTUNE_TEST_PYTHON_313");
  if (python === null) return missing("BigQuery's emulator", "python3.13 with its venv module on the path, or its name in OPPORTUNE_TEST_PYTHON_313");
  const own = await environment("bigquery", python, join(HERE, "bigquery-requirements.txt"));
  return Promise.all([bigQueryServer(own), bigQueryServer(own)]);
}

async function bigQueryServer(own: string): Promise<Emulator> {
  const data = mkdtempSync(join(tmpdir(), "opportune-bigquery-"));
  // DuckDB looks for its extensions under the user's home.
  const home = join(data, "home");
  const packages = join(dirname(dirname(own)), "lib/python3.13/site-packages");
  for (const name of readdirSync(packages).filter((entry) => /^duckdb_extension_[a-z]+$/.test(entry))) {
    const extensions = join(home, ".duckdb/extensions");
    mkdirSync(extensions, { recursive: true });
    for (const version of readdirSync(join(packages, name, "extensions"))) {
      const platform = join(extensions, version, `${process.platform === "darwin" ? "osx" : "linux"}_${process.arch === "arm64" ? "arm64" : "amd64"}`);
      cpSync(join(packages, name, "extensions", version), platform, { recursive: true });
    }
  }
  const grpc = String(await freePort());
  const options = ["--host", "127.0.0.1", "--grpc-port", grpc, "--project", "test-project", "--data-dir", data];
  const path = "/bigquery/v2/projects/test-project/datasets";
  return startEmulator(own, (port) => [join(HERE, "bigquery_server.py"), "serve", "--port", String(port), ...options], path, { HOME: home });
}

/** The tests of that warehouse are skipped, but where nothing may be. */
function missing(emulator: string, what: string): [] {
  const text = `${emulator} needs ${what}; its tests are skipped.`;
  if (process.env["CI"] !== undefined) throw new Error(text);
  process.stderr.write(`${text}\n`);
  return [];
}
