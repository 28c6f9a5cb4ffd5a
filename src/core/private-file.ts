/** Files that hold people's messages: for the user who runs the command alone. */
import { closeSync, fchmodSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export const PRIVATE_FILE = 0o600;
/** Of folders that are made; those that exist stay as they are. */
export const PRIVATE_FOLDER = 0o700;

/** Writes a file of mode 0600, also where one of another mode is there, and the folders that it lacks of mode 0700. */
export function writePrivately(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
  const file = openSync(path, "w", PRIVATE_FILE);
  try {
    // Before anything is in it: a file that was there keeps its mode.
    fchmodSync(file, PRIVATE_FILE);
    writeFileSync(file, content);
  } finally {
    closeSync(file);
  }
}
