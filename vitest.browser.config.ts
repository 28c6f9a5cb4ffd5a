import { defineConfig } from "vitest/config";
import { chromiumPath } from "./test/browser/chromium.js";

const MINUTE = 60_000;

const missing = chromiumPath() === null;
if (missing) {
  const way = "There is no Chromium: install it (Debian: apt-get install -y chromium), or name one in CHROMIUM.";
  // In CI nothing is left out in silence.
  if ((process.env["CI"] ?? "") !== "") throw new Error(way);
  console.log(`${way} The browser tests are skipped.`);
}

/** `npm run test:browser`: the pages in a real Chromium. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.browser.ts"],
    exclude: missing ? ["**"] : [],
    passWithNoTests: missing,
    pool: "forks",
    globalSetup: ["test/support/temporary.ts", "test/support/build.ts"],
    // One browser for all files.
    maxWorkers: 1,
    isolate: false,
    expect: { poll: { timeout: 20_000 } },
    testTimeout: MINUTE,
    hookTimeout: MINUTE,
  },
});
