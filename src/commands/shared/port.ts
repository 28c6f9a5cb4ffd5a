import { OpportuneError } from "../../core/errors.js";

/** The number that --port names. @throws OpportuneError (exit 2) for anything but 0 to 65535 */
export function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new OpportuneError({ code: "usage/port", message: `--port can't be ${JSON.stringify(text)}.`, hint: "Allowed: 0 (any free port) to 65535." }, 2);
}
