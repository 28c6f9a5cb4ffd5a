/** What a command loads before it does anything: a run with nothing to send is short, and has no time for what it doesn't use. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
/** `import … from`, `export … from` and bare imports, but for types; a dynamic import is none. */
const LOADS = /^(?:import|export)\s(?!type\b)(?:[^"';]*?\sfrom\s)?"([^"]+)"/gm;

/** Files and packages that come with a file of src before any of its code runs. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name = ""] of readFileSync(join(ROOT, file), "utf8").matchAll(LOADS)) {
    if (!name.startsWith(".")) seen.add(name);
    else loadedWith(join(file, "..", name).replace(/\.js$/, ".ts"), seen);
  }
  return seen;
}

const packages = (file: string): string[] => [...loadedWith(file)].filter((name) => !existsSync(join(ROOT, name)) && !name.startsWith("node:")).sort();

/** Of providers, drivers, the scheduler and the pages. */
const LATER = ["undici", "@sendgrid/mail", "@duckdb/node-api", "pg", "snowflake-sdk", "@google-cloud/bigquery", "node-cron", "pino", "prom-client", "chokidar"];

describe("loaded with the file", () => {
  it("of the command line: its grammar alone", () => {
    expect(packages("src/cli.ts")).toEqual(["commander", "fastest-levenshtein", "picocolors"]);
  });

  it.each(["src/commands/run.ts", "src/commands/explain/explain.ts", "src/commands/ls.ts"])("%s: no provider, no driver, no scheduler", (file) => {
    const loaded = packages(file);
    expect(loaded).toContain("yaml");
    expect(LATER.filter((name) => loaded.includes(name))).toEqual([]);
  });

  it("of DuckDB and its client: the client is required, as importing it takes twice as long", () => {
    expect(packages("src/warehouse/duckdb/open.ts")).not.toContain("@duckdb/node-api");
  });
});
