import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Builds dist/ once before the tests: the command line is tested as it is shipped, and starts in half the time. */
export function setup(): void {
  const root = join(import.meta.dirname, "../..");
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--incremental", "--tsBuildInfoFile", "dist/.tsbuildinfo"], {
    cwd: root,
    stdio: "inherit",
  });
}
