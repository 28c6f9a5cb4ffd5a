// The page: what the server tells it of changes, and which message is shown.
import { ask, byId, counted, element, parsed, problemList, time } from "./dom.js";
import { showFaults } from "./faults.js";
import { focusList, listed, loadList, select, startList } from "./list.js";
import { showMessage } from "./message.js";

/** @typedef {import("../page.js").PageState} PageState */
/** @typedef {import("../page.js").PageDetail} PageDetail */

const title = byId("title", HTMLElement);
const summary = byId("summary", HTMLElement);
const clear = byId("clear", HTMLButtonElement);
const empty = byId("empty", HTMLElement);
const problems = byId("problems", HTMLElement);
const subject = byId("subject", HTMLElement);
const news = byId("news", HTMLElement);

/** List and message side by side; else one at a time. As in style.css. */
const wide = matchMedia("(min-width: 56rem)");

/** @type {PageState | null} */
let state = null;
/** @type {string | null} */
let open = null;

startList({
  // On a phone the list stays until a message is chosen.
  onSelect: (id) => wide.matches && go(id, "replace"),
  onOpen(id) {
    go(id, wide.matches ? "replace" : "push");
    subject.focus();
  },
});
byId("back", HTMLButtonElement).addEventListener("click", toList);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && byId("message", HTMLElement).contains(document.activeElement)) toList();
});
addEventListener("popstate", () => void show(location.hash.slice(1) || null));
// A window that grows has room for a message.
wide.addEventListener("change", () => {
  if (open === null) void show(null);
});
clear.addEventListener("click", () => void ask("/sandbox/messages", { method: "DELETE" }).then(() => (news.textContent = "Cleared.")));

const stream = new EventSource("/page/events");
stream.addEventListener("message", (event) => void take(/** @type {PageState} */ (parsed(String(event.data)))));
stream.addEventListener("error", () => {
  document.body.classList.add("away");
  summary.textContent = "Not connected: the server is gone. The page asks again until it is back.";
});

/** @param {PageState} next */
async function take(next) {
  const before = state;
  state = next;
  document.body.classList.remove("away");
  head(next);
  const anew = before?.epoch !== next.epoch;
  if (!anew && before.newest === next.newest) return;
  await loadList();
  if (before !== null && next.newest > before.newest && !anew) announce(next.newest - before.newest);
  if (before === null) return show(location.hash.slice(1) || null);
  if (anew && next.kind === "preview" && next.problems.length === 0) news.textContent = `Rendered again at ${time(next.at)}.`;
  if (anew) return show(listed().some(({ id }) => id === open) ? open : null);
  if (open === null) await show(null);
}

/** @param {PageState} next */
function head(next) {
  if (next.kind === "sandbox") {
    title.textContent = "Opportune sandbox";
    clear.hidden = false;
    byId("find", HTMLElement).hidden = false;
    clear.disabled = next.kept === 0 && next.requests === 0;
    const refused = Object.entries(next.refused).map(([status, count]) => `${count.toLocaleString("en-US")} × ${status}`);
    summary.textContent = [
      counted(next.kept, "email"),
      ...(next.requests === next.accepted ? [] : [`${next.accepted.toLocaleString("en-US")} of ${counted(next.requests, "request")} accepted`]),
      ...(refused.length === 0 ? [] : [`refused ${refused.join(", ")}`]),
    ].join(" · ");
    showFaults(next.faults);
    document.title = `${counted(next.kept, "email")} · Opportune sandbox`;
  } else {
    title.textContent = next.title;
    summary.textContent =
      next.problems.length === 0
        ? `Rendered ${time(next.at)} UTC, and again at every change`
        : `${counted(next.problems.length, "problem")} at ${time(next.at)} UTC`;
    document.title = next.problems.length === 0 ? next.title : `✗ ${next.title}`;
    problems.replaceChildren(
      ...(next.problems.length === 0 ? [] : [element("h2", {}, counted(next.problems.length, "problem")), problemList(next.problems), ...still()]),
    );
  }
}

/** What stands below the problems. @returns {Node[]} */
function still() {
  return listed().length === 0 ? [] : [element("p", { class: "note" }, "Below is what could be rendered, as it last was.")];
}

/** @param {number} count */
function announce(count) {
  const [newest] = listed();
  news.textContent = newest === undefined ? `${counted(count, "new email")}.` : `${counted(count, "new email")}: ${newest.subject}, to ${newest.to}.`;
}

/**
 * Names a message in the address bar, as a place of its own to come back from or in place of the one before.
 * @param {string} id @param {"push" | "replace"} how
 */
function go(id, how) {
  if (how === "push") history.pushState(null, "", `#${id}`);
  else history.replaceState(null, "", `#${id}`);
  void show(id);
}

function toList() {
  if (!wide.matches) {
    history.replaceState(null, "", "#");
    void show(null);
  }
  focusList();
}

/** Shows a message; without one, the newest where there is room beside the list. @param {string | null} wanted */
async function show(wanted) {
  const id = wanted ?? (wide.matches ? (listed()[0]?.id ?? null) : null);
  open = id;
  select(id);
  const answer = id === null ? null : await ask(`/page/messages/${encodeURIComponent(id)}`);
  if (open !== id) return;
  const message = answer?.ok === true ? /** @type {PageDetail} */ (answer.body) : null;
  // A message that is gone gives its place to the newest.
  if (message === null && id !== null) {
    history.replaceState(null, "", "#");
    if (wanted !== null) return show(null);
  }
  document.body.dataset["view"] = message === null ? "list" : "message";
  empty.hidden = message !== null;
  empty.replaceChildren(...(message === null ? nothing() : []));
  showMessage(message);
}

/**
 * As opportune.yml has them.
 * @param {Readonly<Record<string, Readonly<Record<string, string | boolean>>>>} channels
 * @returns {string}
 */
function channelText(channels) {
  /** @param {string | boolean} value */
  const written = (value) => (typeof value === "string" && !/^[\w.-]+$/.test(value) ? JSON.stringify(value) : String(value));
  const lines = Object.entries(channels).flatMap(([type, keys]) => [
    `  ${type}:`,
    ...Object.entries({ ...keys, from: "Shop <shop@example.com>" }).map(([key, value]) => `    ${key}: ${written(value)}`),
  ]);
  return ["channels:", ...lines].join("\n");
}

/** What to say where there is nothing to show. @returns {Node[]} */
function nothing() {
  if (state === null || listed().length > 0) return [];
  if (state.kind === "preview") return state.problems.length === 0 ? [element("p", {}, "There is nothing to show.")] : [];
  return [
    element("h2", {}, "No emails yet"),
    element("p", {}, "It appears here as soon as it arrives, and goes no further. The channel that sends here, in opportune.yml:"),
    element("pre", { tabindex: "0" }, channelText(state.channels)),
  ];
}
