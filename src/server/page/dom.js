// What every part of the page needs of the document. Text goes in as text: nothing here makes markup of a string.

/**
 * The element of that id. @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} #${id}`);
  return found;
}

/**
 * A new element with attributes and children; texts become text nodes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * @param {string} json
 * @returns {unknown}
 */
export function parsed(json) {
  return JSON.parse(json);
}

/**
 * What the server says as JSON; `ok` is false for an error of its own.
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<{ ok: boolean, body: unknown }>}
 */
export async function ask(path, init) {
  const response = await fetch(path, init);
  const text = await response.text();
  return { ok: response.ok, body: text === "" ? null : parsed(text) };
}

/**
 * The buttons that a `data-NAME` attribute makes a choice of; the pressed one is told to `choose`.
 * @param {string} name
 * @param {(value: string, button: HTMLButtonElement) => void} choose
 * @returns {(value: string | null) => void} marks the one that is chosen
 */
export function choice(name, choose) {
  const buttons = [...document.querySelectorAll(`button[data-${name}]`)].filter((each) => each instanceof HTMLButtonElement);
  for (const button of buttons) button.addEventListener("click", () => choose(button.dataset[name] ?? "", button));
  return (value) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset[name] === value));
  };
}

/**
 * `2026-03-02 12:00:00` of `2026-03-02T12:00:00.000Z`.
 * @param {string} iso
 */
export function time(iso) {
  return iso.replace("T", " ").replace(/(\.\d+)?Z$/, "");
}

/**
 * `1 mail`, `2 mails`.
 * @param {number} count
 * @param {string} what
 */
export function counted(count, what) {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}

/**
 * Problems as the terminal has them: file:line:column, what is wrong, the way out.
 * @param {readonly import("../../core/errors.js").Problem[]} problems
 * @returns {HTMLElement}
 */
export function problemList(problems) {
  const place = (/** @type {import("../../core/errors.js").Problem} */ { file, line, column }) =>
    [file, line, column].filter((part) => part !== undefined).join(":");
  return element(
    "ul",
    { class: "problems" },
    ...problems.map((problem) =>
      element(
        "li",
        {},
        ...(problem.file === undefined ? [] : [element("code", {}, place(problem))]),
        element("p", {}, problem.message),
        ...(problem.hint === undefined ? [] : [element("p", { class: "hint" }, problem.hint)]),
      ),
    ),
  );
}
