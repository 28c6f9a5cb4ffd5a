// The list of messages: one Tab stop, in which the arrow keys, Home and End move.
import { ask, byId, counted, element } from "./dom.js";

/** @typedef {import("../page.js").PageEntry} PageEntry */

const STEP = 100;

const list = byId("list", HTMLElement);
const search = byId("search", HTMLInputElement);
const more = byId("more", HTMLButtonElement);
const found = byId("found", HTMLElement);

/** @type {Map<string, HTMLElement>} */
let options = new Map();
/** @type {PageEntry[]} */
let entries = [];
let limit = STEP;
/** @type {string | null} */
let selected = null;

/**
 * @param {{ onSelect: (id: string) => void, onOpen: (id: string) => void }} told of the entry that the arrow keys came to; of the one that was clicked or entered
 */
export function startList({ onSelect, onOpen }) {
  list.addEventListener("keydown", (event) => {
    const all = [...options.values()];
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (event.key === "Enter" || event.key === " ") {
      if (at >= 0) onOpen(all[at]?.dataset["id"] ?? "");
      return event.preventDefault();
    }
    /** @type {Record<string, number | undefined>} */
    const targets = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    const next = targets[event.key];
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const option = all[Math.max(0, Math.min(all.length - 1, next))];
    if (option === undefined) return;
    focusOn(option);
    onSelect(option.dataset["id"] ?? "");
  });
  list.addEventListener("click", (event) => {
    const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    if (option instanceof HTMLElement) onOpen(option.dataset["id"] ?? "");
  });
  search.addEventListener("input", () => {
    limit = STEP;
    void loadList();
  });
  search.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    focusList();
  });
  more.addEventListener("click", () => {
    limit += STEP;
    void loadList().then(() => [...options.values()].at(-STEP)?.focus());
  });
}

let loading = Promise.resolve();
let asked = 0;

/** Asks for the list anew; of several wishes at once the last is answered. @returns {Promise<void>} */
export function loadList() {
  const turn = (asked += 1);
  loading = loading.then(
    async () => {
      if (turn !== asked) return;
      const { ok, body } = await ask(`/page/messages?limit=${String(limit)}&search=${encodeURIComponent(search.value)}`);
      if (!ok || turn !== asked) return;
      const answer = /** @type {{ found: number, messages: PageEntry[] }} */ (body);
      entries = answer.messages;
      draw();
      more.hidden = answer.found <= entries.length;
      found.textContent = search.value.trim() === "" ? "" : answer.found === 0 ? "Nothing found." : `${counted(answer.found, "message")} found.`;
    },
    () => undefined,
  );
  return loading;
}

function draw() {
  const hadFocus = list.contains(document.activeElement);
  const kept = options;
  options = new Map(entries.map((entry) => [entry.id, optionOf(entry, kept.get(entry.id))]));
  for (const [id, option] of kept) if (!options.has(id)) option.remove();
  // Only what moved is touched: an element that is put in anew loses the focus.
  let before = list.firstElementChild;
  for (const option of options.values()) {
    if (option === before) before = before.nextElementSibling;
    else list.insertBefore(option, before);
  }
  mark();
  if (hadFocus && !list.contains(document.activeElement)) focusList();
}

/**
 * The entry's option: the one there is, filled anew where it was rendered anew.
 * @param {PageEntry} entry
 * @param {HTMLElement | undefined} there
 */
function optionOf({ id, at, to, subject, segment, step }, there) {
  if (there?.dataset["at"] === at) return there;
  const option = there ?? element("div", { role: "option", tabindex: "-1", "aria-selected": "false" });
  option.dataset["id"] = id;
  option.dataset["at"] = at;
  option.replaceChildren(
    element("span", { class: "to" }, to),
    " ",
    element("time", { datetime: at, title: `${at.replace("T", " ").replace(/\.\d+Z$/, "")} UTC` }, at.slice(11, 19)),
    " ",
    element("span", { class: "subject" }, subject),
    " ",
    element("span", { class: "segment" }, step === "" ? segment : `${segment} · ${step}`),
  );
  return option;
}

function mark() {
  const current = (selected === null ? undefined : options.get(selected)) ?? [...options.values()][0];
  for (const [id, option] of options) {
    option.setAttribute("aria-selected", String(id === selected));
    option.tabIndex = option === current ? 0 : -1;
  }
}

/** @param {HTMLElement} option */
function focusOn(option) {
  for (const each of options.values()) each.tabIndex = each === option ? 0 : -1;
  option.focus();
  option.scrollIntoView({ block: "nearest" });
}

/** @param {string | null} id */
export function select(id) {
  selected = id;
  mark();
}

/** Puts the focus on the selected message, else on the first, else on the search. */
export function focusList() {
  const option = [...options.values()].find((each) => each.tabIndex === 0);
  if (option === undefined) search.focus();
  else focusOn(option);
}

/** What is listed now, newest first. */
export function listed() {
  return entries;
}
