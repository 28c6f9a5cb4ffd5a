/** A reason is read by people and kept in the ledger: long enough for a provider's sentence, short enough for a column. */
const LONGEST = 500;

/**
 * Text that is safe to log and to keep: each secret becomes `[redacted]`, the recipient's address `[address]`, anything shaped
 * like a provider's key (`SG.…`) or a bearer token `[redacted]` too, control characters become spaces, and the rest is cut at 500
 * characters.
 */
export function redact(text: string, secrets: readonly string[], addresses: readonly string[] = []): string {
  return cut(withoutSecrets(text, secrets, addresses));
}

function withoutSecrets(text: string, secrets: readonly string[], addresses: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret !== "") clean = clean.replaceAll(secret, "[redacted]");
  clean = clean.replace(/SG\.[\w.-]{6,}/gu, "[redacted]").replace(/\b(bearer|basic)\s+[\w.~+/=-]+/giu, "$1 [redacted]");
  for (const address of addresses) if (address !== "") clean = replaceIgnoringCase(clean, address, "[address]");
  return clean.replace(/\p{Cc}+/gu, " ").trim();
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

function replaceIgnoringCase(text: string, wanted: string, by: string): string {
  const pattern = wanted.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");
  return text.replace(new RegExp(pattern, "giu"), () => by);
}

/**
 * An email address, also one within a URL, or a phone number as channels take it (E.164, with or without spaces), whosever it is.
 * A local part has 64 characters at most: without that bound a long word takes quadratic time.
 */
const EMAIL = /[^\s<>()[\]"'`,;:=@]{0,63}[^\s<>()[\]"'`,;:=@/](?:@|%40)[\p{L}\p{N}.-]+\.[\p{L}\p{N}-]+/giu;
const PHONE = /\+\d[\d ().-]{6,}\d/gu;

/** The text with `[address]` for whatever looks like an email address or a phone number. */
export function withoutAddresses(text: string): string {
  return text.replace(EMAIL, "[address]").replace(PHONE, "[address]");
}

/** As `redact`, for texts that may quote anybody's data, such as a provider's answer: without addresses too. */
export function scrub(text: string, secrets: readonly string[], addresses: readonly string[] = []): string {
  return cut(withoutAddresses(withoutSecrets(text, secrets, addresses)));
}
