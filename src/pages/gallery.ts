/** The mails that a sandbox took, as one HTML page that asks nothing of the network. */
import { framedMail } from "../core/framed-mail.js";
import { markup, NOTHING, page, type Markup } from "./html.js";
import { counted } from "../report/tables.js";
import { timeIn } from "../report/times.js";

export interface GalleryMail {
  to: string;
  subject: string;
  /** Null where a mail has text alone. */
  html: string | null;
  text: string;
  segment: string;
  step: string;
  /** Its name. */
  template: string;
  messageId: string;
  /** ISO 8601 UTC. */
  receivedAt: string;
}

/** The phone is the narrowest still in use, without the frame's border; the desktop as wide as the page. */
const STYLE = `
.top nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .5rem 0; }
fieldset { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; border: 1px solid var(--line); border-radius: .5rem; margin: .75rem 0 0; padding: .4rem .9rem .6rem; }
label { display: inline-flex; gap: .4rem; align-items: center; min-height: 1.75rem; }
section { margin: 0 0 2rem; } section > h2 { padding: .5rem 0; }
.mails > li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 .5rem; }
summary { cursor: pointer; padding: .6rem .9rem; } summary strong { font-weight: 600; } .mails summary .soft { display: block; font-size: .9rem; }
.mail { padding: 0 .9rem .9rem; } .mail details { border-top: 1px solid var(--line); margin-top: .75rem; } .mail details summary { padding: .6rem 0; }
iframe { display: block; width: 100%; height: 40rem; margin: .75rem auto 0; border: 1px solid var(--line); border-radius: .5rem; background: Canvas; }
.whole > li { margin: 0 0 2rem; } .whole h3 { margin: 0; scroll-margin-top: 1rem; }
body:has(#phone:checked) iframe { width: 322px; }
@media (max-width: 24rem) { main, .top { padding: .5rem 0; } .top > *, section > h2 { margin-left: .75rem; margin-right: .75rem; }
  .mails > li, iframe { border-radius: 0; } .whole h3, .whole p { margin-left: .75rem; margin-right: .75rem; } .mail { padding: 0 0 .9rem; } .mail dl, .mail details { margin-left: .75rem; margin-right: .75rem; } iframe { border-width: 1px 0; width: 100% !important; } }
pre { white-space: pre-wrap; margin: 0; padding: .75rem; background: var(--calm-back); border-radius: .5rem; font: .85rem/1.5 ui-monospace, monospace; }
@media print { fieldset, nav { display: none; } }
`;

/**
 * Makes the frame of the email that is opened and takes away that of the one that is closed: hundreds of frames are more than a
 * browser bears. A whole email gets its frame as it comes into sight. That frame shares the page's origin, so that the page can
 * give it the height of what is in it; nothing in it runs.
 */
const SCRIPT = `const frameOf = (mail, sandbox) => {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", sandbox);
  frame.title = mail.title;
  frame.srcdoc = mail.content.textContent;
  mail.after(frame);
  return frame;
};
document.addEventListener("toggle", ({ target }) => {
  const mail = target.querySelector(":scope > .mail > template");
  if (mail === null) return;
  target.querySelector("iframe")?.remove();
  if (target.open) frameOf(mail, "");
}, true);
const fit = (frame) => {
  const root = frame.contentDocument?.documentElement;
  if (!root) return;
  frame.style.height = "0";
  frame.style.height = Math.min(root.scrollHeight + 2, 20000) + "px";
};
const widths = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    if (target.dataset.width === String(contentRect.width)) continue;
    target.dataset.width = String(contentRect.width);
    fit(target);
  }
});
const sight = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    sight.unobserve(target);
    const frame = frameOf(target.querySelector("template"), "allow-same-origin");
    frame.addEventListener("load", () => fit(frame));
    widths.observe(frame);
  }
}, { rootMargin: "800px" });
document.querySelectorAll(".whole > li:has(> template)").forEach((item) => sight.observe(item));`;

/**
 * The page: first a whole email of each template, then all by segment, each in the order of arrival, one open at a time and
 * loaded only then. An email stands in a frame that may neither run scripts, send forms nor load anything, and a click in it
 * leads nowhere.
 */
export function galleryPage(mails: readonly GalleryMail[]): string {
  const arrived = [...mails].sort(byArrival);
  const segments = new Map<string, GalleryMail[]>();
  for (const mail of arrived) segments.set(mail.segment, [...(segments.get(mail.segment) ?? []), mail]);
  const names = [...segments.keys()].sort();
  const links = names.map((name) => markup`<li><a href="#segment-${name}">${name}</a> <span class="soft">${segments.get(name)?.length ?? 0}</span></li>`);
  const templates = [...new Map([...arrived].reverse().map((mail) => [mail.template, mail])).values()].sort((a, b) => (a.template < b.template ? -1 : 1));
  const body = markup`<header class="top">
<h1>${counted(mails.length, "email")} sent</h1>
<p class="soft">From ${counted(templates.length, "template")}, for ${counted(names.length, "segment")}. The frames show what an email program would; images from elsewhere stay empty here, and links lead nowhere.</p>
<nav aria-label="Segments"><ul>${links}</ul></nav>
<fieldset><legend>Show emails as on a</legend>
<label><input type="radio" name="width" id="desktop" checked> desktop</label>
<label><input type="radio" name="width" id="phone"> phone, 320 pixels wide</label>
</fieldset>
</header>
<main>
${
  templates.length === 0
    ? NOTHING
    : markup`<section aria-labelledby="templates">
<h2 id="templates">One email of each template</h2>
<ol class="whole">
${templates.map(wholeItem)}
</ol>
</section>`
}
${names.map((name) => segmentSection(name, segments.get(name) ?? []))}
</main>`;
  return page(`${counted(mails.length, "email")} sent`, STYLE, body, SCRIPT);
}

function wholeItem({ template, segment, step, subject, html, text }: GalleryMail): Markup {
  const shown = html === null ? markup`<pre>${text}</pre>` : markup`<template title="${template}: ${subject}">${framedMail(html).html}</template>`;
  return markup`<li><h3>${subject}</h3><p class="soft">${template}, for ${segment}, ${step}</p>${shown}</li>
`;
}

function byArrival(a: GalleryMail, b: GalleryMail): number {
  return a.receivedAt < b.receivedAt ? -1 : a.receivedAt > b.receivedAt ? 1 : 0;
}

function segmentSection(name: string, mails: readonly GalleryMail[]): Markup {
  return markup`<section aria-labelledby="segment-${name}">
<h2 id="segment-${name}">${name} <span class="soft">${counted(mails.length, "email")}</span></h2>
<ol class="mails">
${mails.map(mailItem)}
</ol>
</section>
`;
}

function mailItem(mail: GalleryMail): Markup {
  const { day, clock } = timeIn(mail.receivedAt, "UTC");
  return markup`<li><details name="mail">
<summary><strong>${mail.subject}</strong> <span class="soft">${mail.step}, to ${mail.to}</span></summary>
<div class="mail">
<dl><dt>To</dt><dd>${mail.to}</dd><dt>Segment, step</dt><dd>${mail.segment}, ${mail.step}</dd>
<dt>Arrived</dt><dd><time datetime="${mail.receivedAt}">${day}, ${clock} UTC</time></dd><dt>Message</dt><dd>${mail.messageId}</dd></dl>
${mail.html === null ? NOTHING : markup`<template title="Email: ${mail.subject}">${framedMail(mail.html).html}</template>`}
<details${mail.html === null ? markup` open` : NOTHING}><summary>Plain text</summary><pre>${mail.text}</pre></details>
</div>
</details></li>
`;
}
