/** Starts what `npm run test:warehouses` runs against, unless a variable names a server that is there already. */
import { join } from "node:path";
import { SNOWFLAKE_URL_VARIABLE } from "../support/snowflake.js";
import { environment, findPython, startEmulator, type Emulator } from "./python.js";

const HERE = import.meta.dirname;

export async function setup(): Promise<() => Promise<void>> {
  const started: Emulator[] = [];
  if (process.env[SNOWFLAKE_URL_VARIABLE] === undefined) {
    const python = await findPython("python3", "OPPORTUNE_TEST_PYTHON");
    if (python === null) missing("python3 with its venv module (Debian: apt-get install python3-venv)");
    else {
      const own = await environment("snowflake", python, join(HERE, "snowflake-requirements.txt"));
      const emulator = await startEmulator(own, (port) => ["-W", "ignore", join(HERE, "snowflake_server.py"), String(port)], "/health");
      started.push(emulator);
      process.env[SNOWFLAKE_URL_VARIABLE] = emulator.url;
    }
  }
  return async () => {
    for (const emulator of started) await emulator.stop();
  };
}

/** The tests of that warehouse are skipped, but where nothing may be. */
function missing(what: string): void {
  const text = `Snowflake's emulator needs ${what}; its tests are skipped.`;
  if (process.env["CI"] !== undefined) throw new Error(text);
  process.stderr.write(`${text}\n`);
}
