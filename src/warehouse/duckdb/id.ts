/**
 * What tells a DuckDB file from a copy of it: a random id in a file beside it, which the ledger knows too. A file copied alone
 * lacks it, wherever it is; both copied together can't be told from their originals.
 */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { OpportuneError } from "../../core/errors.js";
import { systemCode } from "../../core/system-error.js";

/** What follows the name of the database's file. */
export const ID_FILE = ".opportune";

const MEANING = "The id of the DuckDB file beside this one, by which Opportune tells it from a copy. Move it with the file; copy the file without it.";

function idFile(path: string): string {
  // Beside the file itself, whatever link leads to it.
  return realpathSync(path) + ID_FILE;
}

/**
 * The id of the database in that file; null where it has none.
 * @throws OpportuneError where the file that holds it is there and can't be read
 */
export function readId(path: string): string | null {
  const file = idFile(path);
  try {
    const [id = ""] = readFileSync(file, "utf8").split("\n");
    return id === "" ? null : id;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw refused(file, "read", error);
  }
}

/** Gives the database in that file a new id: the file beside it appears whole or not at all. @throws OpportuneError where it can't */
export function makeId(path: string): string {
  const file = idFile(path);
  const id = randomUUID();
  const unfinished = `${file}.${String(process.pid)}.part`;
  try {
    writeFileSync(unfinished, `${id}\n${MEANING}\n`);
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw refused(file, "written", error);
  }
  return id;
}

function refused(file: string, done: "read" | "written", cause: unknown): OpportuneError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
  const message = `${file} can't be ${done} (${code}); it tells the DuckDB file beside it from a copy.`;
  return new OpportuneError({ code: "warehouse/id", message, hint: "Let the user that runs Opportune read and write it and its folder." }, 1, cause);
}

/** What earlier ledgers knew their file by: its number on the volume, which another volume may give to a copy. */
export function formerId(path: string): string {
  return createHash("sha256")
    .update(`duckdb ${String(statSync(path, { bigint: true }).ino)}`)
    .digest("hex");
}
