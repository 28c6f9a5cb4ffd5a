import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whatever tests leave in temporary folders lies in one, which goes after them: the processes that made it are ended without a word. */
export function setup(): () => void {
  const before = process.env["TMPDIR"];
  const folder = mkdtempSync(join(tmpdir(), "opportune-tests-"));
  // Postgres runs as a user of its own, and must get through.
  chmodSync(folder, 0o755);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  process.env["TMPDIR"] = folder;
  return () => {
    if (before === undefined) Reflect.deleteProperty(process.env, "TMPDIR");
    else process.env["TMPDIR"] = before;
    remove();
  };
}
