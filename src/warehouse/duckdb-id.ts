/**
 * What tells a DuckDB file from a copy of it: a random id in a file beside it, which the ledger knows too. A file copied alone
 * lacks it, wherever it is; both copied together can't be told from their originals.
 */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";

/** What follows the name of the database's file. */
export const ID_FILE = ".opportune";

const MEANING = "The id of the DuckDB file beside this one, by which Opportune tells it from a copy. Move it with the file; copy the file without it.";

function idFile(path: string): string {
  // Beside the file itself, whatever link leads to it.
  return realpathSync(path) + ID_FILE;
}

/** The id of the database in that file; null where it has none, or nobody may read it. */
export function readId(path: string): string | null {
  try {
    const [id = ""] = readFileSync(idFile(path), "utf8").split("\n");
    return id === "" ? null : id;
  } catch {
    return null;
  }
}

/** Gives the database in that file a new id. @throws Error where the file beside it can't be written */
export function makeId(path: string): string {
  const id = randomUUID();
  writeFileSync(idFile(path), `${id}\n${MEANING}\n`);
  return id;
}

/** What earlier ledgers knew their file by: its number on the volume, which another volume may give to a copy. */
export function formerId(path: string): string {
  return createHash("sha256")
    .update(`duckdb ${String(statSync(path, { bigint: true }).ino)}`)
    .digest("hex");
}
