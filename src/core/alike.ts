/** Longest reason that is compared; a provider's explanation is far shorter. */
const LONGEST = 300;

/**
 * A reason without what differs from message to message: addresses, ids and numbers. The status of an answer stays. Two failures
 * with the same text here have one cause.
 */
export function alike(reason: string): string {
  const status = /^HTTP \d{3}/u.exec(reason)?.[0] ?? "";
  const words = reason
    .slice(status.length, status.length + LONGEST)
    .replaceAll(/[^\s"'<>(),;:]+@[^\s"'<>(),;:]+/gu, "@")
    .replaceAll(/[\w-]*\d[\w-]*/gu, "#")
    .replaceAll(/\s+/gu, " ");
  return status + words.trimEnd();
}
