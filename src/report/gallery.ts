/** The mails that a sandbox took, as one HTML page that asks nothing of the network. */

export interface GalleryMail {
  to: string;
  subject: string;
  /** Null where a mail has text alone. */
  html: string | null;
  text: string;
  segment: string;
  step: string;
  messageId: string;
  /** ISO 8601 UTC. */
  receivedAt: string;
}

/** The page; each mail stands in a frame that may neither run scripts nor load anything. */
export function galleryPage(mails: readonly GalleryMail[]): string {
  const parts = mails.map(
    (mail) => `<section>
<h2>${escaped(mail.subject)}</h2>
<p>${escaped(`${mail.segment}, ${mail.step}, to ${mail.to}, ${mail.receivedAt}`)}</p>
${mail.html === null ? `<pre>${escaped(mail.text)}</pre>` : `<iframe sandbox="" title="${escaped(mail.subject)}" loading="lazy" srcdoc="${escaped(mail.html)}"></iframe>`}
</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Mails at the sandbox</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:44rem;padding:0 1rem}iframe{border:1px solid #999;height:40rem;width:100%}pre{white-space:pre-wrap}</style>
</head>
<body>
<h1>${String(mails.length)} mails at the sandbox</h1>
${parts.join("\n")}
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
