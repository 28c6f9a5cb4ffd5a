/** Opens DuckDB files: waits for one that another process holds, and says why one can't be opened. */
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { DuckDBInstance } from "@duckdb/node-api";
import { OpportuneError, type Problem } from "../../core/errors.js";
import type { DuckDbConnection } from "../../project/targets/duckdb.js";
import { DuckDBInstance as Instance, version } from "./driver.js";

/** How often a locked file is tried again, ms. */
const LOCK_RETRY_MS = 200;

/**
 * The database in the file `path` (or `:memory:`), which errors call as opportune.yml does. Waits up to `waitForLockSeconds` for
 * another process to close it; `onWait` is called once if there is something to wait for.
 * @throws OpportuneError naming the other process, or what is wrong with the file
 */
export async function openInstance(
  path: string,
  settings: Record<string, string>,
  connection: DuckDbConnection,
  onWait: ((message: string) => void) | undefined,
): Promise<DuckDBInstance> {
  const deadline = Date.now() + connection.waitForLockSeconds * 1000;
  // DuckDB would look for an extension on the network that reads another database's file.
  const foreign = path === ":memory:" ? null : foreignFile(path, connection.path);
  if (foreign !== null) throw new OpportuneError(foreign);
  for (let told = false; ; told = true) {
    try {
      // A file goes through the cache: two instances on one file silently lost a committed row.
      return path === ":memory:" ? await Instance.create(path, settings) : await Instance.fromCache(path, settings);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (!text.includes("Could not set lock")) throw new OpportuneError(unopened(path, connection.path, text), 1, error);
      const { who, run } = holderIn(text);
      if (Date.now() >= deadline) {
        throw new OpportuneError({
          code: "warehouse/locked",
          message: `${connection.path} is held by ${who}; waited ${String(connection.waitForLockSeconds)} seconds.`,
          hint: `${run ? "Wait until it has ended; ended by force, it leaves messages in doubt." : "Close it there, or wait."} \`wait_for_lock\` of this target says how long to wait. DuckDB lets one process write to a file at a time.`,
        });
      }
      if (!told) onWait?.(`${connection.path} is held by ${who}; waiting up to ${String(connection.waitForLockSeconds)} seconds`);
      await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
    }
  }
}

/** Who holds the file, by DuckDB's words; and whether that is Opportune, as far as this system tells. */
function holderIn(text: string): { who: string; run: boolean } {
  const [, program, pid] = /Conflicting lock is held in (.+?) \(PID (\d+)\)/.exec(text) ?? [];
  if (program === undefined || pid === undefined) return { who: "another process", run: false };
  const command = opportuneCommand(pid);
  return { who: `${command === null ? program : `\`${command}\``} (process ${pid})`, run: command !== null };
}

/** `opportune run` where the process is that; null where it is another, or the system doesn't tell (all but Linux). */
function opportuneCommand(pid: string): string | null {
  let words: string[];
  try {
    words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return null;
  }
  const at = words.findIndex((word) => basename(word) === "opportune" || /[/\\](?:dist|src)[/\\]cli\.[jt]s$/.test(word));
  const name = words.slice(at + 1).find((word) => /^[a-z]+$/.test(word));
  return at === -1 || name === undefined ? null : `opportune ${name}`;
}

/** The first bytes of a file: checksum, the word DUCK, and the number of the storage format. */
const HEADER = { magic: 8, format: 12, writer: 52, length: 84 } as const;

/** Null where it can't be read: DuckDB's own error then says why. */
function headerOf(path: string): Buffer | null {
  try {
    if (!statSync(path).isFile()) return null;
    const file = openSync(path, "r");
    try {
      const header = Buffer.alloc(HEADER.length);
      return header.subarray(0, readSync(file, header, 0, HEADER.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

/** What is wrong with a file that is none of DuckDB's; null where it may be one. */
function foreignFile(path: string, shown: string): Problem | null {
  const header = headerOf(path);
  if (header === null || header.toString("latin1", HEADER.magic, HEADER.format) === "DUCK") return null;
  const what = header.length === 0 ? "is empty" : header.toString("latin1", 0, 6) === "SQLite" ? "is a database of SQLite" : "is not a DuckDB file";
  return { code: "warehouse/not-duckdb", message: `${shown} ${what}.`, hint: "Correct `path` of this target in opportune.yml; an empty file may be removed." };
}

function unopened(path: string, shown: string, text: string): Problem {
  const header = headerOf(path);
  if (/with version number/.test(text) && header !== null) return otherFormat(header, shown);
  const reason = text.split("\n")[0] ?? text;
  return { code: "warehouse/unreachable", message: `DuckDB can't open ${shown}: ${reason}`, hint: wayOut(text) };
}

/** A format that this version of DuckDB doesn't read: mostly a later one's. */
function otherFormat(header: Buffer, shown: string): Problem {
  const writer = /^v[\w.-]+/.exec(header.toString("latin1", HEADER.writer))?.[0];
  const by = writer === undefined ? "another version of DuckDB" : `DuckDB ${writer}`;
  const own = version();
  const format = String(header.readBigUInt64LE(HEADER.format));
  const newer = header.readBigUInt64LE(HEADER.format) >= 64n;
  return {
    code: "warehouse/duckdb-format",
    message: `${shown} was written by ${by} in its storage format ${format}, which Opportune's DuckDB ${own} can't read.`,
    hint: newer
      ? `Have it written in an older format: set storage_compatibility_version to '${own.replace(/\.\d+$/, ".0")}' (dbt: under config_options of the profile), remove the file and build it anew. A file to keep: attach both, the new one with (storage_version '${own.replace(/\.\d+$/, ".0")}'), and \`copy from database OLD to NEW\`.`
      : "Export it with the version that wrote it (`export database`), and import that with a version from 1.0 on.",
  };
}

function wayOut(text: string): string {
  if (/Permission denied|Read-only file system/.test(text)) {
    return "Let the user that runs Opportune read and write the file and its folder: the ledger is in it, and DuckDB writes files beside it.";
  }
  if (/No such file or directory|Not a directory|Is a directory/.test(text))
    return "Correct `path` of this target in opportune.yml: it names a file in a folder that exists.";
  if (/Corrupt|Could not read enough bytes|replaying WAL/.test(text))
    return "The file is damaged or was copied while it was written to: put a good copy in its place.";
  if (/No space left/.test(text)) return "Free space on that disk.";
  return "Run `opportune debug` to see what the target needs.";
}
