import { channelKind } from "../channels/registry.js";
import { OpportuneError, type Problem } from "../core/errors.js";
import { localeOr } from "../core/locales.js";
import { zoneOr } from "../core/zones.js";
import { treatments } from "../project/build/treatments.js";
import type { Channel, Project, Segment } from "../project/types.js";
import { checkUtm, compileText } from "./compile/compile-text.js";
import { checkTemplate, loadTemplates, usesFor, variablesFor } from "./templates/load.js";
import { renderEmail, renderText } from "./render.js";
import type { Template } from "./templates/types.js";
import type { CompiledText, RenderContext, RenderInput, Use, Variable } from "./types.js";

/** What a claim gives to its message. */
export interface RenderedClaim {
  messageId: string;
  step: string;
  variant: string;
  userId: string;
  key: string;
  topic: string | null;
  template: string;
  /** ISO 8601 UTC. */
  occurredAt: string;
  timezone: string | null;
  locale: string | null;
}

/** A message's content, whatever the channel. */
export interface RenderedContent {
  subject: string | null;
  html: string | null;
  text: string;
  from: string | null;
  replyTo: string | null;
  headers: Readonly<Record<string, string>>;
}

/** The project's templates, compiled once, and each segment's `because`. */
export interface Renderer {
  versionOf(template: string): string;
  sourceOf(template: string): string;
  templateOf(name: string): Template;
  /** The columns that a step's message reads, the segment's `because` included. */
  variablesOf(segment: Segment, step: { template: string; channel: string }): readonly Variable[];
  /** What it makes of them, the names that the job gives included. */
  usesOf(segment: Segment, step: { template: string; channel: string }): readonly Use[];
  /** The message, or why there can be none; never throws for what a row holds. `notFinite`: columns whose null is a NaN or infinite where a value is needed. */
  render(
    claim: RenderedClaim,
    properties: Readonly<Record<string, unknown>>,
    of: { channel: Channel; segment: Segment; asOf: string; notFinite?: RenderInput["notFinite"] },
  ): RenderedContent | { invalid: string };
}

/**
 * Loads templates/ and checks it against the project's channels and segments.
 * @throws OpportuneError (exit 2) with every problem found
 */
export function loadRenderer(project: Project): Renderer {
  const { templates, problems } = loadTemplates(project.root);
  const because = new Map<string, CompiledText>();
  const found: Problem[] = [...problems, ...checkUtm(project.links.utm, { file: "opportune.yml", line: 1, column: 0 })];
  for (const segment of project.segments.values()) {
    if (segment.because !== null) {
      const { text, problems: wrong } = compileText(segment.because, { file: segment.file, line: segment.places.get("because")?.line ?? 1, column: 0 });
      if (text === null) found.push(...wrong);
      else because.set(segment.id, text);
    }
    for (const step of treatments(segment)) {
      const template = templates.get(step.template);
      const type = project.channels.get(step.channel)?.type;
      if (template !== undefined && type !== undefined) found.push(...checkTemplate(template, type));
    }
  }
  const distinct = [...new Map(found.map((problem) => [JSON.stringify(problem), problem])).values()];
  if (distinct.length > 0) throw new OpportuneError(distinct, 2);

  const templateOf = (name: string): Template => {
    const template = templates.get(name);
    if (template === undefined) throw new Error(`No template ${name}: the project was not validated`);
    return template;
  };
  return {
    templateOf,
    versionOf: (template) => templateOf(template).version,
    sourceOf: (template) => templateOf(template).source,
    variablesOf: (segment, step) => [
      ...variablesFor(templateOf(step.template), project.channels.get(step.channel)?.type ?? "webhook"),
      ...(because.get(segment.id)?.variables ?? []),
    ],
    usesOf: (segment, step) => [
      ...usesFor(templateOf(step.template), project.channels.get(step.channel)?.type ?? "webhook"),
      ...(because.get(segment.id)?.uses ?? []),
    ],
    render(claim, properties, { channel, segment, asOf, notFinite }) {
      const context: RenderContext = {
        message_id: claim.messageId,
        user_id: claim.userId,
        key: claim.key,
        occurred_at: claim.occurredAt,
        as_of: asOf,
        segment: segment.id,
        step: claim.step,
        variant: claim.variant,
        project: project.name,
        topic: claim.topic,
        locale: localeOr(claim.locale, project.policy.locale),
        timezone: zoneOr(claim.timezone, project.policy.timezone),
      };
      const input: RenderInput = {
        properties,
        context,
        because: because.get(segment.id) ?? null,
        class: segment.class,
        channel: channel.name,
        links: project.links,
        notFinite,
      };
      return CONTENTS[channelKind(channel.type).content](templateOf(claim.template), input);
    },
  };
}

const CONTENTS = { email: emailContent, text: textContent } as const;

function emailContent(template: Template, input: RenderInput): RenderedContent | { invalid: string } {
  const rendered = renderEmail(template, input);
  if (!rendered.ok) return { invalid: rendered.reason };
  const { subject, html, text, from, replyTo, headers } = rendered.mail;
  return { subject, html, text, from, replyTo, headers };
}

function textContent(template: Template, input: RenderInput): RenderedContent | { invalid: string } {
  const rendered = renderText(template, input);
  if (!rendered.ok) return { invalid: rendered.reason };
  return { subject: rendered.message.subject, html: null, text: rendered.message.text, from: null, replyTo: null, headers: {} };
}
