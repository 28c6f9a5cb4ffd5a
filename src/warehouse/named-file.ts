import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { OpportuneError } from "../core/errors.js";
import { systemReason } from "../core/system-error.js";

/**
 * What a file holds that a target names under a key of opportune.yml, a private key or a certificate; a path that is not absolute is
 * relative to the project.
 * @throws OpportuneError of this code, with this way out
 */
export function readNamedFile(file: string, root: string, named: string, { code, hint }: { code: string; hint: string }): string {
  try {
    return readFileSync(isAbsolute(file) ? file : join(root, file), "utf8");
  } catch (error) {
    throw new OpportuneError({ code, message: `The file ${file}, named under ${named}, can't be read: ${systemReason(error)}.`, hint }, 1, error);
  }
}
