import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Links } from "../../src/project/types.js";
import { loadTemplates, type Templates } from "../../src/render/templates/load.js";
import { renderEmail, renderText } from "../../src/render/render.js";
import type { Template } from "../../src/render/templates/types.js";
import type { RenderContext, RenderedMail, RenderedText, RenderInput } from "../../src/render/types.js";

export const CONTEXT: RenderContext = {
  message_id: "0f1e2d3c",
  user_id: "u1",
  key: "c1",
  occurred_at: "2026-03-02T22:15:00Z",
  as_of: "2026-03-03T22:20:00Z",
  segment: "cart_abandoned",
  step: "reminder",
  variant: "",
  project: "Shop Example",
  topic: "carts",
  locale: "en-GB",
  timezone: "Europe/Zurich",
};
export const NO_LINKS: Links = { unsubscribeUrl: null, unsubscribeSecret: null, utm: {} };

export function input(properties: RenderInput["properties"], changes: Partial<RenderInput> = {}): RenderInput {
  return { properties, context: CONTEXT, because: null, class: "marketing", channel: "email", links: NO_LINKS, ...changes };
}

/** Writes files under templates/ of a folder that lives as long as the test, and loads them. */
export function load(files: Readonly<Record<string, string>>): Templates {
  const root = mkdtempSync(join(tmpdir(), "render-"));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, "templates", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return loadTemplates(root);
}

/** The template `t` of a project with just that and a bare layout. */
export function template(body: string, front = 'subject: "S"', files: Readonly<Record<string, string>> = {}): Template {
  const { templates, problems } = load({ "layouts/base.hbs": "<html><body>{{{body}}}</body></html>", "t.hbs": `---\n${front}\n---\n${body}`, ...files });
  const found = templates.get("t");
  if (found === undefined || problems.length > 0) throw new Error(JSON.stringify(problems, null, 1));
  return found;
}

/** Problems of a project whose only template is `t`, as `file:line:column code`. */
export function problemsOf(files: Readonly<Record<string, string>>): string[] {
  return load(files).problems.map(({ file, line, column, code }) => `${[file, line, column].filter((part) => part !== undefined).join(":")} ${code}`);
}

export function mail(of: Template, given: RenderInput): RenderedMail {
  const result = renderEmail(of, given);
  if (!result.ok) throw new Error(result.reason);
  return result.mail;
}

export function message(of: Template, given: RenderInput): RenderedText {
  const result = renderText(of, given);
  if (!result.ok) throw new Error(result.reason);
  return result.message;
}

export function refused(of: Template, given: RenderInput): string {
  const result = renderEmail(of, given);
  if (result.ok) throw new Error(`rendered: ${result.mail.html}`);
  return result.reason;
}
