/** How SendGrid answers, beside what its statuses say. */
import type { Answers } from "../http/answer.js";

export const SENDGRID_ANSWERS: Answers = {
  idHeader: "x-message-id",
  // "An error occurred on a SendGrid server", and "not available".
  notTaken: new Set([500, 503]),
  // Its shortest refresh period.
  wait429Ms: 1000,
  words: errorLines,
};

/** `errors: [{message, field}]` as text; null for another body. */
function errorLines(body: string): string | null {
  try {
    const parsed: unknown = JSON.parse(body);
    const errors: unknown = typeof parsed === "object" && parsed !== null && "errors" in parsed ? parsed.errors : null;
    const lines = Array.isArray(errors) ? errors.map(errorLine).filter((line) => line !== "") : [];
    return lines.length > 0 ? lines.join("; ") : null;
  } catch {
    // Not JSON: a proxy's page, most likely.
    return null;
  }
}

function errorLine(error: unknown): string {
  if (typeof error !== "object" || error === null || !("message" in error) || typeof error.message !== "string") return "";
  const field = "field" in error && typeof error.field === "string" && error.field !== "" ? ` (${error.field})` : "";
  return `${error.message}${field}`;
}
