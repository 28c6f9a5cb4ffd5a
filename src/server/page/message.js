// One message: its facts, and a tab for each way to look at it.
import { ask, byId, choice, element, problemList, time } from "./dom.js";
import { storyOf } from "./story.js";

/** @typedef {import("../page.js").PageDetail} PageDetail */
/** @typedef {{ name: string, label: string, draw: (message: PageDetail) => (Node | string)[] | Promise<(Node | string)[]> }} Tab */

const detail = byId("detail", HTMLElement);
const subject = byId("subject", HTMLElement);
const facts = byId("facts", HTMLElement);
const tabs = byId("tabs", HTMLElement);
const tools = byId("frame-tools", HTMLElement);
const panel = byId("panel", HTMLElement);

/** @type {PageDetail | null} */
let shown = null;
/** @type {Tab[]} */
let offered = [];
/** What the user chose last, for the next message too. */
let chosen = "html";
let width = "";
/** `` as the page. */
let scheme = "";
const dark = matchMedia("(prefers-color-scheme: dark)");
/** Counts draws, so that an answer that comes late is dropped. */
let turn = 0;

const pressWidth = choice("width", (value) => {
  width = value;
  dress();
});
const pressScheme = choice("scheme", (value) => {
  scheme = value;
  dress();
});

dark.addEventListener("change", dress);
// Browsers pass by a frame that holds no link: the panel's stop leads into it, so that the arrow keys scroll every mail.
panel.addEventListener("focus", () => panel.querySelector("iframe")?.focus());
// The panel is no stop while the frame has the focus (which doesn't match :focus), or Shift+Tab would lead back in.
for (const name of ["blur", "focus"])
  addEventListener(name, () => {
    const inFrame = document.activeElement instanceof HTMLIFrameElement;
    panel.classList.toggle("in-frame", inFrame);
    panel.tabIndex = inFrame ? -1 : 0;
  });
tabs.addEventListener("keydown", (event) => {
  const at = offered.findIndex(({ name }) => name === current()?.name);
  /** @type {Record<string, number | undefined>} */
  const targets = { ArrowRight: at + 1, ArrowLeft: at - 1 + offered.length, Home: 0, End: offered.length - 1 };
  const next = targets[event.key];
  if (next === undefined) return;
  event.preventDefault();
  pick(offered[next % offered.length]?.name ?? "");
  byId(`tab-${chosen}`, HTMLElement).focus();
});

/** Shows a message; null: none. @param {PageDetail | null} message */
export function showMessage(message) {
  shown = message;
  detail.hidden = message === null;
  if (message === null) return;
  subject.textContent = message.subject === "" ? "(no subject)" : message.subject;
  facts.replaceChildren(
    ...fact("To", message.to),
    ...fact("From", message.from ?? ""),
    ...fact("Segment", message.step === "" ? message.segment : `${message.segment} · ${message.step}`),
    ...fact("Time", `${time(message.at)} UTC`),
  );
  // What is drawn anew under the focus would leave it nowhere.
  const onTabs = tabs.contains(document.activeElement);
  offered = tabsOf(message);
  tabs.replaceChildren(
    ...offered.map(({ name, label }) => {
      const tab = element("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel" }, label);
      tab.addEventListener("click", () => pick(name));
      return tab;
    }),
  );
  draw();
  if (onTabs) byId(`tab-${current()?.name ?? ""}`, HTMLElement).focus();
}

/** @param {string} name @param {string} value */
function fact(name, value) {
  return value === "" ? [] : [element("div", {}, element("dt", {}, name), element("dd", {}, value))];
}

/** @param {string} name */
function pick(name) {
  chosen = name;
  draw();
}

function current() {
  return offered.find(({ name }) => name === chosen) ?? offered[0];
}

function draw() {
  const message = shown;
  const tab = current();
  if (message === null || tab === undefined) return;
  for (const { name } of offered) {
    const button = byId(`tab-${name}`, HTMLButtonElement);
    button.setAttribute("aria-selected", String(name === tab.name));
    button.tabIndex = name === tab.name ? 0 : -1;
  }
  panel.setAttribute("aria-labelledby", `tab-${tab.name}`);
  panel.dataset["tab"] = tab.name;
  tools.hidden = tab.name !== "html";
  const mine = (turn += 1);
  const drawn = tab.draw(message);
  if (!(drawn instanceof Promise)) return fill(drawn);
  // Else another tab's content would stand under this one's name until the answer is there.
  fill([element("p", { class: "note" }, "Loading …")]);
  void drawn.then((content) => {
    if (mine === turn) fill(content);
  });
}

/** @param {(Node | string)[]} content */
function fill(content) {
  const inPanel = document.activeElement !== panel && panel.contains(document.activeElement);
  panel.replaceChildren(...content);
  dress();
  if (inPanel) panel.focus();
}

/** Gives the frame the width and the colours that were chosen. */
function dress() {
  pressWidth(width);
  pressScheme(scheme === "" ? (dark.matches ? "dark" : "light") : scheme);
  const frame = panel.querySelector("iframe");
  if (frame === null) return;
  frame.style.width = width === "" ? "" : `${width}px`;
  frame.style.colorScheme = scheme;
}

/** @param {PageDetail} message @returns {Tab[]} */
function tabsOf({ hasHtml, hasDecision, links }) {
  return [
    ...(hasHtml ? [{ name: "html", label: "HTML", draw: htmlTab }] : []),
    { name: "text", label: "Text", draw: textTab },
    { name: "headers", label: "Headers", draw: headersTab },
    ...(hasHtml ? [{ name: "links", label: `Links ${String(links.length)}`, draw: linksTab }] : []),
    { name: "source", label: "Source", draw: sourceTab },
    ...(hasDecision ? [{ name: "decision", label: "Decision", draw: decisionTab }] : []),
  ];
}

/** @param {PageDetail} message */
function htmlTab({ id, remote, at }) {
  const frame = element("iframe", { sandbox: "", title: "The email as HTML", referrerpolicy: "no-referrer" });
  // The time is of no use to the server: it makes a frame that is rendered anew another one.
  frame.src = `/page/messages/${encodeURIComponent(id)}/html?${encodeURIComponent(at)}`;
  const some = `${remote.slice(0, 3).join(", ")}${remote.length > 3 ? " …" : ""}`;
  return [
    element("div", { class: "frame" }, frame),
    element(
      "p",
      { class: "note" },
      "Scripts, forms and links do nothing here, and remote images and styles are blocked.",
      ...(remote.length === 0 ? [] : [element("strong", {}, ` ${String(remote.length)} blocked: `), some]),
    ),
  ];
}

/** @param {PageDetail} message */
function textTab({ text }) {
  return text === null || text === "" ? [element("p", { class: "note" }, "The message has no text.")] : [element("pre", { class: "text" }, text)];
}

/** @param {PageDetail} message */
function headersTab({ headers, request }) {
  return [table("Headers of the message", headers), ...(request === null ? [] : [table("Headers of the request", Object.entries(request))])];
}

/** @param {string} caption @param {readonly (readonly [string, string])[]} rows */
function table(caption, rows) {
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element("tbody", {}, ...rows.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)))),
  );
}

/** @param {PageDetail} message */
function linksTab({ links }) {
  if (links.length === 0) return [element("p", { class: "note" }, "The email has no links.")];
  const row = (/** @type {PageDetail["links"][number]} */ { text, url }) =>
    element("li", {}, element("span", {}, text === "" ? "(no text)" : text), element("code", {}, url));
  return [element("ol", { class: "links" }, ...links.map(row))];
}

/** @param {PageDetail} message */
function sourceTab({ source }) {
  return [element("pre", {}, JSON.stringify(source, null, 2))];
}

/** @param {PageDetail} message @returns {Promise<(Node | string)[]>} */
async function decisionTab({ id }) {
  const { ok, body } = await ask(`/page/messages/${encodeURIComponent(id)}/decision`);
  if (ok) return storyOf(body);
  const retry = element("button", { type: "button" }, "Try again");
  retry.addEventListener("click", () => draw());
  return [problemList(/** @type {{ problems: import("../../core/errors.js").Problem[] }} */ (body).problems), retry];
}
