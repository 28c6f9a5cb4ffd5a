// What the ledger says of a message, as `opportune explain --output json` has it.
import { element, time } from "./dom.js";

/**
 * @typedef {object} Event
 * @property {string} event
 * @property {string} reason
 * @property {string} decided_at
 * @property {string} recorded_at
 * @property {string} run_id
 * @property {string} explanation
 */
/** @typedef {{ step: string, channel: string | null, due_at: string | null, expires_at: string | null, events: Event[] }} Message */
/** @typedef {{ user_id: string, journeys: { segment: string, key: string, occurred_at: string, messages: Message[] }[] }} Story */

/** Events that have a time of their own; decisions are as of their run. */
const OUTCOMES = new Set(["sending", "accepted", "failed", "in_doubt", "released"]);

/** @param {unknown} document @returns {Node[]} */
export function storyOf(document) {
  const { user_id, journeys } = /** @type {Story} */ (document);
  return [
    ...journeys.flatMap(({ segment, key, occurred_at, messages }) =>
      messages.map(({ step, channel, due_at, expires_at, events }) =>
        element(
          "section",
          { class: "story" },
          element("h3", {}, `${segment} · ${step}`),
          element(
            "p",
            {},
            `For user ${user_id}${key === "" ? "" : `, ${key}`}, because of the behaviour of ${time(occurred_at)}.`,
            due_at === null ? "" : ` Due ${time(due_at)}${expires_at === null ? "" : ` until ${time(expires_at)}`}${channel === null ? "" : ` by ${channel}`}.`,
            " Times are UTC.",
          ),
          element("ol", {}, ...events.map(eventLine)),
        ),
      ),
    ),
    element("p", { class: "note" }, "All that the ledger has of this user: ", element("code", {}, `opportune explain ${user_id}`)),
  ];
}

/** @param {Event} event */
function eventLine({ event, explanation, decided_at, recorded_at, run_id }) {
  const at = OUTCOMES.has(event) ? recorded_at : decided_at;
  return element(
    "li",
    { "data-event": event },
    element("time", { datetime: at }, time(at)),
    element("strong", {}, event),
    element("span", {}, explanation),
    element("small", {}, `run ${run_id}`),
  );
}
