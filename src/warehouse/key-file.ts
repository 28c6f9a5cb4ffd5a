import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { OpportuneError } from "../core/errors.js";

/** What a target's key file holds; `named` is the key in opportune.yml, and a path without a leading slash is relative to the project. @throws OpportuneError */
export function readKeyFile(file: string, root: string, named: string, hint: string): string {
  try {
    return readFileSync(isAbsolute(file) ? file : join(root, file), "utf8");
  } catch (error) {
    throw new OpportuneError({ code: "warehouse/key", message: `The file ${file}, named under ${named}, can't be read.`, hint }, 1, error);
  }
}
