/** Files that hold people's messages: for the user who runs the command alone. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export const PRIVATE_FILE = 0o600;
/** Of folders that are made; those that exist stay as they are. */
export const PRIVATE_FOLDER = 0o700;

/** Writes a file of mode 0600, also where one of another mode is there, and the folders that it lacks of mode 0700. */
export function writePrivately(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
  writeFileSync(path, content, { mode: PRIVATE_FILE });
  chmodSync(path, PRIVATE_FILE);
}
