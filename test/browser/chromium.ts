import { existsSync } from "node:fs";

/** The browser of the tests: $CHROMIUM, else where Debian's package `chromium` puts it; null where there is none. */
export function chromiumPath(env: NodeJS.ProcessEnv = process.env): string | null {
  const path = env["CHROMIUM"] ?? "/usr/bin/chromium";
  return existsSync(path) ? path : null;
}
