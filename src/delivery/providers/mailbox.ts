import { isAddress } from "../../core/address.js";

/** An address with the name shown beside it, if there is one. */
export interface Mailbox {
  email: string;
  name?: string;
}

/**
 * Reads `Name <address>`, `"Name, with comma" <address>` or a bare address; null if it is none of
 * these.
 */
export function parseMailbox(text: string): Mailbox | null {
  const trimmed = text.trim();
  if (isAddress(trimmed)) return { email: trimmed };
  const match = /^(?<name>[^<>]*)<(?<email>[^<>]+)>$/u.exec(trimmed);
  const email = match?.groups?.["email"]?.trim() ?? "";
  if (!isAddress(email)) return null;
  const name = unquote((match?.groups?.["name"] ?? "").trim());
  return name === "" ? { email } : { email, name };
}

function unquote(name: string): string {
  return name.length >= 2 && name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1).replace(/\\(.)/gu, "$1") : name;
}
