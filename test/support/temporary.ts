import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whatever tests leave in temporary folders lies in one, which goes after them: the processes that made it are ended without a word. */
export function setup(): void {
  const folder = mkdtempSync(join(tmpdir(), "opportune-tests-"));
  // Postgres runs as a user of its own, and must get through.
  chmodSync(folder, 0o755);
  process.env["TMPDIR"] = folder;
  // A process that is just being ended may still write there.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
}
