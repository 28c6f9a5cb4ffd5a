/** A mail that tries everything to get out of its frame; each way out names a host of its own. */
const OUT = [
  ["script", (url) => `<script>fetch("${url}"); new Image().src = "${url}"; try { top.location = "${url}" } catch {}</script>`],
  ["handler", (url) => `<p><img src="data:," alt="" onerror="new Image().src='${url}'"></p>`],
  ["image", (url) => `<img src="${url}" srcset="${url} 2x" alt="remote">`],
  ["background", (url) => `<table background="${url}"><tr><td style="background:url('${url}')">cell</td></tr></table>`],
  ["import", (url) => `<style>@import "${url}"; @font-face { font-family: f; src: url("${url}") } p { font-family: f }</style>`],
  ["sheet", (url) => `<link rel="stylesheet" href="${url}">`],
  ["prefetch", (url) => `<link rel="prefetch" href="${url}">`],
  ["frame", (url) => `<iframe src="${url}"></iframe>`],
  ["object", (url) => `<object data="${url}"></object><embed src="${url}">`],
  ["video", (url) => `<video src="${url}" poster="${url}" autoplay muted></video>`],
  ["svg", (url) => `<svg width="9" height="9"><image href="${url}" width="9" height="9"/></svg>`],
  ["input", (url) => `<input type="image" src="${url}" alt="go">`],
] satisfies [string, (url: string) => string][];

/** What only a user sets off: by its text. */
const LINKS = [
  ["plain", (url) => `<a href="${url}">plain</a>`],
  ["top", (url) => `<a target="_top" href="${url}">top</a>`],
  ["parent", (url) => `<a TARGET=_parent href="${url}">parent</a>`],
  ["self", (url) => `<a target='_self' href="${url}">self</a>`],
  ["blank", (url) => `<a target="_blank" ping="${url}" href="${url}">blank</a>`],
  ["inner", (url) => `<svg width="90" height="30"><a href="${url}" target="_top"><text y="20">inner</text></a></svg>`],
  ["script-url", (url) => `<a href="javascript:top.location='${url}'">script-url</a>`],
] satisfies [string, (url: string) => string][];

export const LINK_NAMES = LINKS.map(([name]) => name);
/** The hosts that the mail asks by itself, as soon as a browser shows it without protection. */
export const HOSTS = OUT.map(([name]) => `${name}.example`);

/** `sandbox` is the server's own URL, at which a mail must not be able to do anything either. */
export function hostileMail(sandbox: string): string {
  return `<!doctype html><html><head><base href="http://base.example/" target="_top">
${OUT.map(([name, html]) => html(`http://${name}.example/${name}`)).join("\n")}
</head><body onload="document.title='hostile'">
${LINKS.map(([name, html]) => html(`http://${name}.example/link`)).join("\n")}
<form action="http://form.example/" method="post" target="_top"><input name="q" value="typed" aria-label="field" autofocus><button>send</button></form>
<form action="${sandbox}/sandbox/messages" method="post"><button formmethod="post">own</button></form>
<img src="${sandbox}/sandbox/stats" alt="own"></body></html>`;
}

/** Leaves by itself after a moment; apart, as it would end everything else. */
export const REFRESHING = `<html><head><META HTTP-EQUIV=Refresh content="0; url=http://refresh.example/"></head><body>still here</body></html>`;
