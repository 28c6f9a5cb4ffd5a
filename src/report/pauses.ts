import { instant } from "../core/clock.js";
import type { StandingPause } from "../ledger/pauses.js";
import { visible } from "./tables.js";

/** A pause in words: `channel email (breaker, until 2026-03-02T13:00:00Z: 503 from the provider)`. */
export function pauseText({ scope, name, kind, until, note }: StandingPause): string {
  const how = [...(kind === "breaker" ? ["breaker"] : []), ...(until === null ? [] : [`until ${instant(Date.parse(until))}`])].join(", ");
  const said = [how, visible(note ?? "")].filter((text) => text !== "").join(": ");
  return `${scope === "project" ? "everything" : `${scope} ${name}`}${said === "" ? "" : ` (${said})`}`;
}

/** Pauses on a line; none where nothing is paused. */
export function pauseLines(pauses: readonly StandingPause[]): string[] {
  if (pauses.length === 0) return [];
  return [`Paused by command or breaker: ${pauses.map(pauseText).join(", ")}; \`opportune resume\` ends it.`];
}
