/** HTML pages that stand alone: what is put into them is escaped unless it is markup already, and they ask for nothing. */
import { createHash } from "node:crypto";
import { escapeHtml } from "../core/escape-html.js";

/** What `markup` made. */
export interface Markup {
  readonly html: string;
}

type Value = string | number | Markup | readonly Markup[];

/** A template tag: texts and numbers are escaped, for text and for quoted attributes alike; markup and lists of it stand as they are. */
export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return { html: String.raw({ raw: parts }, ...values.map(written)) };
}

function written(value: Value): string {
  if (typeof value === "string" || typeof value === "number") return escapeHtml(String(value));
  return "html" in value ? value.html : value.map(({ html }) => html).join("");
}

export const NOTHING: Markup = { html: "" };

/** Frames in the page inherit it. `data:` is for images that a mail carries in itself. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'";

/** Colours with a contrast of 4.5 and more on their background, light and dark, and the shapes that the pages share. */
const STYLE = `
:root { --ink: #1a2233; --soft: #556070; --paper: #f5f6f8; --card: #fff; --line: #d5dae2; --accent: #1d4ed8;
  --good: #166534; --good-back: #dcfce7; --wait: #854d0e; --wait-back: #fef3c7; --bad: #991b1b; --bad-back: #fee2e2; --calm-back: #e8ebf0; }
@media screen { :root { color-scheme: light dark; } }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #a3acba; --paper: #12161d; --card: #1b212b; --line: #343c49; --accent: #93b4ff;
  --good: #a7f3c0; --good-back: #12351f; --wait: #fcd98a; --wait-back: #3d2c07; --bad: #fecaca; --bad-back: #451717; --calm-back: #2a323f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main, .top { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 0; } h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .25rem 0; } .soft { color: var(--soft); font-weight: 400; } a { color: var(--accent); }
ol, ul { margin: 0; padding: 0; list-style: none; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0; } dt { color: var(--soft); } dd { margin: 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
@media print { body { background: #fff; } }
`;

/** A whole page in English; `script` is the only one that runs. */
export function page(title: string, style: string, body: Markup, script?: string): string {
  const allowed = script === undefined ? "" : `; script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY + allowed}">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${{ html: STYLE + style }}</style>
</head>
<body>
${body}
${script === undefined ? NOTHING : { html: `<script>${script}</script>` }}
</body>
</html>
`.html;
}
