/** The provider that sends nothing: each message becomes a file that one can open. */
import { createHash } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { OUTBOX_ID } from "../../core/outbox-id.js";
import { systemReason } from "../../core/system-error.js";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../../core/private-file.js";
import type { OutgoingMessage, Provider, SendOutcome } from "../types.js";

/**
 * Writes `<folder>/<YYYY-MM-DD>/<run>/<message id>.json` with the whole message, and a `.html`
 * beside it where there is one; the date is UTC by `now` (epoch ms). A message written again
 * replaces its file. Each file appears complete or not at all, of mode 0600. Accepts every message;
 * a disk that refuses is `try_again`, as nothing was handed over.
 */
export function createOutbox(folder: string, now: () => number): Provider {
  const made = new Map<string, Promise<unknown>>();

  async function send(message: OutgoingMessage): Promise<SendOutcome> {
    const place = path.join(folder, new Date(now()).toISOString().slice(0, 10), safeName(message.runId));
    const name = safeName(message.messageId);
    try {
      await folderOf(place);
      if (message.html !== null) await writeWhole(path.join(place, `${name}.html`), message.html);
      await writeWhole(path.join(place, `${name}.json`), `${JSON.stringify(message, null, 2)}\n`);
      return { kind: "accepted", providerId: `${OUTBOX_ID}${name}` };
    } catch (error) {
      made.delete(place);
      return { kind: "try_again", afterMs: null, reason: `the outbox folder can't be written: ${systemReason(error)}` };
    }
  }

  function folderOf(place: string): Promise<unknown> {
    let making = made.get(place);
    if (making === undefined) {
      making = mkdir(place, { recursive: true, mode: PRIVATE_FOLDER });
      made.set(place, making);
    }
    return making;
  }

  return { send, close: () => Promise.resolve() };
}

/**
 * The text itself where it is a plain name, else a hash: no id can point out of the folder or be
 * too long for a disk.
 */
export function safeName(text: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/u.test(text) && !text.endsWith(".")) return text;
  return `x-${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}

let written = 0;

async function writeWhole(file: string, content: string): Promise<void> {
  written += 1;
  const unfinished = `${file}.${process.pid}-${written}.part`;
  try {
    await writeFile(unfinished, content, { mode: PRIVATE_FILE });
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
