// What the provider is told to answer, in words and by buttons.
import { ask, byId, choice, counted, parsed } from "./dom.js";

/** @typedef {import("../sandbox/faults.js").Fault} Fault */

const words = byId("faults", HTMLElement);
const provider = byId("provider", HTMLElement);
const once = byId("once", HTMLInputElement);

const USUAL = "[]";

const press = choice("fault", (value) => {
  const faults = /** @type {Fault[]} */ (parsed(value)).map((fault) => (once.checked ? { ...fault, count: 1 } : fault));
  void ask("/sandbox/faults", { method: "PUT", body: JSON.stringify(faults) });
});

/** @param {readonly Fault[]} faults */
export function showFaults(faults) {
  provider.hidden = false;
  provider.classList.toggle("faulty", faults.length > 0);
  const text = faults.length === 0 ? "Takes each email and answers 202." : `${faults.map(inWords).join("; else ")}.`;
  if (words.textContent !== text) words.textContent = text;
  // Of a fault for some requests, the button is still the one that set it.
  press(faults.length === 0 ? USUAL : JSON.stringify(faults.map(({ count: _, ...fault }) => fault)));
}

/** @param {Fault} fault */
function inWords(fault) {
  const { status, resetInSeconds, retryAfterSeconds, hang, cut, delayMs, count, share } = fault;
  const parts = [];
  if (status !== undefined) parts.push(`Answers ${String(status)}`);
  if (resetInSeconds !== undefined) parts.push(`with X-RateLimit-Reset ${String(resetInSeconds)} s ahead`);
  if (retryAfterSeconds !== undefined) parts.push(`with Retry-After ${String(retryAfterSeconds)} s`);
  if (hang === "after") parts.push("Takes the email and never answers");
  else if (hang !== undefined) parts.push("Never answers, and does not take the email");
  if (cut !== undefined) parts.push(cut === "after" ? "Takes the email and cuts the connection" : "Cuts the connection, and does not take the email");
  if (delayMs !== undefined) parts.push(parts.length === 0 ? `Answers after ${String(delayMs)} ms` : `after ${String(delayMs)} ms`);
  if (share !== undefined) parts.push(`to ${String(Math.round(share * 1000) / 10)} % of requests`);
  if (count !== undefined) parts.push(`for ${counted(count, "more request")}`);
  return parts.join(" ");
}
