import { isSafeNumber } from "lossless-json";
import type { DeliverableClaim, OutgoingMessage } from "../delivery/types.js";
import { addressColumn, treatments } from "../project/build/treatments.js";
import type { Project } from "../project/types.js";
import { ExactNumber } from "../render/language/exact.js";
import type { Renderer } from "../render/renderer.js";
import type { NumberColumns } from "../segments/types.js";
import { renderSqlFile } from "../warehouse/sql.js";
import { BATCH_BYTES, type Row, type Warehouse } from "../warehouse/types.js";

/** A claim with the row it came from: all that rendering and delivery need. */
export interface Claim extends DeliverableClaim {
  /** In the order of the line, from 1: claims of one batch stand side by side. */
  place: number;
  step: string;
  variant: string;
  userId: string;
  key: string;
  class: "marketing" | "transactional";
  topic: string | null;
  template: string;
  /** ISO 8601 UTC. */
  occurredAt: string;
  /** Where to really send: as the row gives it, trimmed. */
  address: string;
  timezone: string | null;
  locale: string | null;
  /** JSON text of the row's properties. */
  properties: string;
}

/** What a step says of all its messages. */
type StepFacts = Pick<Claim, "channel" | "class" | "topic" | "template">;

/** This run's claims in the order of the line, at most `batchSize` at a time, and of large ones fewer. */
export async function* readClaims(project: Project, warehouse: Warehouse, batchSize: number): AsyncGenerator<Claim[]> {
  const channels = [...project.channels.keys()]
    .map((channel) => ({ channel, column: addressColumn(project, channel) }))
    .filter(({ column }) => column !== "user_id");
  const addresses = channels.map(({ channel, column }) => `when '${channel}' then r.${column}`).join(" ");
  const steps = new Map<string, StepFacts>();
  for (const segment of project.segments.values()) {
    for (const { step, variant, channel, template } of treatments(segment))
      steps.set(`${segment.id}/${step}/${variant}`, { channel, template, class: segment.class, topic: segment.topic });
  }
  const { dialect } = warehouse;
  const pages = dialect.readsByRows ? await warehouse.query(renderSqlFile("claim_pages.sql", dialect, null, { page_bytes: BATCH_BYTES })) : [null];
  for (const row of pages) {
    const page = row === null ? null : { first: Number(row["first_place"]), last: Number(row["last_place"]) };
    const statement = renderSqlFile("claims.sql", dialect, null, {
      channels: addresses === "" ? "when '' then ''" : addresses,
      page,
      by_row: dialect.stagesInPages,
    });
    for await (const rows of warehouse.stream(statement, batchSize)) yield rows.map((claim) => toClaim(claim, steps));
  }
}

function toClaim(row: Row, steps: ReadonlyMap<string, StepFacts>): Claim {
  const segment = row["segment"] as string;
  const step = row["step"] as string;
  const variant = row["variant"] as string;
  const facts = steps.get(`${segment}/${step}/${variant}`);
  if (facts === undefined) throw new Error(`Claim of a step that the project doesn't have: ${segment}/${step}/${variant}`);
  return {
    place: Number(row["place"]),
    messageId: row["message_id"] as string,
    segment,
    step,
    variant,
    channel: facts.channel,
    template: facts.template,
    class: facts.class,
    topic: facts.topic,
    sendBy: Number(row["send_by_ms"]),
    dueAt: Number(row["due_ms"]),
    userId: row["user_id"] as string,
    key: row["item_key"] as string,
    occurredAt: row["occurred_at"] as string,
    address: row["send_to"] as string,
    timezone: row["timezone"] as string | null,
    locale: row["locale"] as string | null,
    properties: row["properties"] as string,
  };
}

/** What JSON.parse would change or refuse: a number that may not fit JavaScript's, and words that JSON lacks. */
const INEXACT = /(?:\d\.?){16}|\d[eE]\+?\d{3}|NaN|Infinity/;
/** An escape, a quote, a number or such a word: a text's inside holds them too. */
const TOKENS = /\\.|"|-?(?:\d[\d.eE+-]*|Infinity)|NaN/gs;

/**
 * Properties with every digit kept: numbers that JavaScript can't hold exactly come as text. NaN and infinities, which only nested
 * columns can hold, are null. Of equal keys the last counts. Depth and length cost no stack.
 * @throws SyntaxError where the text is not JSON
 */
export function parseProperties(json: string): Record<string, unknown> {
  return JSON.parse(INEXACT.test(json) ? exactly(json) : json) as Record<string, unknown>;
}

/** JSON that JSON.parse reads without loss. */
function exactly(json: string): string {
  let inText = false;
  return json.replaceAll(TOKENS, (token) => {
    if (token === '"') inText = !inText;
    if (inText || token.startsWith("\\") || token === '"') return token;
    if (!/\d/.test(token)) return "null";
    const exact = /e/i.test(token) ? Number.isFinite(Number(token)) : isSafeNumber(token);
    return exact ? token : `"${token}"`;
  });
}

/** A row's values for its templates; exact numbers are staged as text. */
function valuesOf(json: string, numbers: ReadonlyMap<string, "exact" | "float"> | undefined): Record<string, unknown> {
  const values = parseProperties(json);
  for (const [name, kind] of numbers ?? []) {
    const written = values[name];
    if (kind === "exact" && typeof written === "string") values[name] = new ExactNumber(written);
  }
  return values;
}

/** What a run's messages have in common: which run it is, and the columns that its segments were found to have. */
export interface MessagesOf {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  numbers: NumberColumns;
  /** Rows were looked through for null where a template needs a value: a number that is null nevertheless is not finite. */
  judged: boolean;
}

/** The message of a claim, or why there can be none. Throws for nothing that the claim's row holds: whatever that is costs this message alone. */
export function messageOf(claim: Claim, project: Project, renderer: Renderer, run: MessagesOf): OutgoingMessage | { invalid: string } {
  const channel = project.channels.get(claim.channel);
  const segment = project.segments.get(claim.segment);
  if (channel === undefined || segment === undefined) throw new Error(`Claim of unknown channel ${claim.channel} or segment ${claim.segment}`);
  const rendered = contentOf(claim, renderer, run, { channel, segment, asOf: run.asOf });
  if ("invalid" in rendered) return rendered;
  return {
    messageId: claim.messageId,
    runId: run.runId,
    segment: claim.segment,
    step: claim.step,
    variant: claim.variant,
    channel: claim.channel,
    address: claim.address,
    topic: claim.topic,
    ...rendered,
    from: rendered.from ?? channel.from,
    replyTo: rendered.replyTo ?? channel.replyTo,
  };
}

/** Names the kind of an error and not its words, which may quote what the row holds. */
function contentOf(
  claim: Claim,
  renderer: Renderer,
  { numbers, judged }: MessagesOf,
  of: Omit<Parameters<Renderer["render"]>[2], "notFinite">,
): ReturnType<Renderer["render"]> {
  try {
    const ofSegment = numbers.get(claim.segment);
    return renderer.render(claim, valuesOf(claim.properties, ofSegment), { ...of, notFinite: judged ? ofSegment : undefined });
  } catch (error) {
    return { invalid: `the row's columns can't be read (${error instanceof Error ? error.name : typeof error})` };
  }
}
