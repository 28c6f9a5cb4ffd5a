/**
 * The page that shows messages, of the sandbox or of a preview: its files, the list, each message, and the stream of
 * server-sent events that tells it of changes. For browsers on this machine alone: the server that it is part of checks Host.
 */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { problemsOf, type Problem } from "../core/errors.js";
import { FRAME_POLICY, framedMail, type FramedMail } from "../core/framed-mail.js";
import { answer } from "./requests.js";
import type { Fault } from "./sandbox/faults.js";

/** A message in the list. */
export interface PageEntry {
  id: string;
  /** Counts up; the newest has the largest. */
  order: number;
  /** ISO 8601 UTC. */
  at: string;
  to: string;
  subject: string;
  segment: string;
  /** `` where it is not known. */
  step: string;
}

/** A message with all that can be looked at. */
export interface PageMessage extends PageEntry {
  from: string | null;
  html: string | null;
  text: string | null;
  /** The message's own, in the order shown. */
  headers: [string, string][];
  /** Of the HTTP request that brought it, by name; null where none did. */
  request: Readonly<Record<string, string>> | null;
  /** What was posted, or would be. */
  source: unknown;
}

/** What the page gets of a message; its HTML stands at …/html, for the frame alone. */
export interface PageDetail extends Omit<PageMessage, "html"> {
  hasHtml: boolean;
  links: FramedMail["links"];
  /** What its HTML would load from elsewhere. */
  remote: string[];
  hasDecision: boolean;
}

/** What the page is told as soon as it changes. */
export type PageState = {
  /** Where it differs from the one before, everything is to be asked afresh. */
  epoch: string;
  /** The order of the newest message; 0: there is none. */
  newest: number;
} & (
  | {
      kind: "sandbox";
      /** Channels that send here, as opportune.yml holds them, by type. */
      channels: Readonly<Record<string, Readonly<Record<string, string | boolean>>>>;
      kept: number;
      requests: number;
      accepted: number;
      /** Status → answers. */
      refused: Readonly<Record<string, number>>;
      faults: readonly Fault[];
    }
  | {
      kind: "preview";
      title: string;
      /** Why the messages shown are not those of the files as they are. */
      problems: readonly Problem[];
      /** ISO 8601 UTC: when the files were last rendered. */
      at: string;
    }
);

export interface PageSource {
  state(): PageState;
  /** The newest `limit` whose address, subject or segment holds `search`, newest first; and how many there are. */
  list(search: string, limit: number): { found: number; messages: PageEntry[] };
  find(id: string): PageMessage | null;
  /** What the ledger says of a message, or an OpportuneError that says why it can't be read now; null where there is nothing to ask. */
  decision: ((message: PageMessage) => Promise<unknown>) | null;
}

export interface Page {
  /** Answers if the path is the page's; else false. */
  handle(request: IncomingMessage, response: ServerResponse, path: string): boolean;
  /** Tells every open page the state, soon. */
  changed(): void;
}

/** Read from the package, which holds them as they are: src/ and dist/ are equally far from it. */
const FILES = new URL("../../src/server/page/", import.meta.url);
const TYPES: Readonly<Record<string, string>> = { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg+xml" };

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
/** Changes that come faster are told together, ms: quick for an eye, and a few a second for a page whatever the mails. */
const TOGETHER_MS = 50;
const MOST_LISTED = 1000;
const DEFAULT_LISTED = 100;

export function createPage(source: PageSource): Page {
  const listeners = new Set<ServerResponse>();
  let told: NodeJS.Timeout | null = null;

  const tell = (response: ServerResponse): void => void response.write(`data: ${JSON.stringify(source.state())}\n\n`);

  function events(response: ServerResponse): void {
    send(response, "text/event-stream");
    // Asks again after half a second when the server was gone.
    response.write("retry: 500\n\n");
    tell(response);
    listeners.add(response);
    response.on("close", () => listeners.delete(response));
  }

  async function decision(response: ServerResponse, message: PageMessage): Promise<void> {
    if (source.decision === null) return answer(response, 404, { error: "there is no ledger to ask" });
    try {
      answer(response, 200, await source.decision(message));
    } catch (error) {
      answer(response, 503, { problems: problemsOf(error) });
    }
  }

  function message(response: ServerResponse, id: string, part: string | undefined): void {
    const found = source.find(id);
    if (found === null) return answer(response, 404, { error: "no such message, or it is no longer kept" });
    switch (part) {
      case undefined: {
        const { html, ...rest } = found;
        const { links, remote } = framedMail(html ?? "");
        const detail: PageDetail = { ...rest, hasHtml: html !== null, links, remote, hasDecision: source.decision !== null };
        return answer(response, 200, detail);
      }
      case "html":
        return send(response, "text/html", framedMail(found.html ?? "").html, FRAME_POLICY);
      case "decision":
        return void decision(response, found);
      default:
        return answer(response, 404, { error: "a message has /html and /decision" });
    }
  }

  function get(request: IncomingMessage, response: ServerResponse, path: string): void {
    const [, , collection, id, part, ...more] = path.split("/");
    if (path === "/") return file(response, "index.html");
    if (path === "/page/events") return events(response);
    if (collection === "messages" && id === undefined) {
      const query = new URL(request.url ?? "/", "http://page").searchParams;
      const limit = Math.min(Number(query.get("limit") ?? DEFAULT_LISTED), MOST_LISTED);
      if (!Number.isInteger(limit) || limit < 1)
        return answer(response, 400, { error: `limit must be a whole number from 1, not ${query.get("limit") ?? ""}` });
      return answer(response, 200, source.list(query.get("search")?.trim().toLowerCase() ?? "", limit));
    }
    if (collection === "messages" && id !== undefined && more.length === 0) return message(response, id, part);
    return file(response, collection ?? "");
  }

  return {
    handle(request, response, path) {
      if (path !== "/" && !path.startsWith("/page/")) return false;
      request.resume();
      if (request.method !== "GET") answer(response, 405, { error: "only GET" }, { Allow: "GET" });
      else get(request, response, path);
      return true;
    },
    changed() {
      if (listeners.size === 0) return;
      told ??= setTimeout(() => {
        told = null;
        listeners.forEach(tell);
      }, TOGETHER_MS).unref();
    },
  };
}

function file(response: ServerResponse, name: string): void {
  const type = TYPES[/^[a-z-]+\.([a-z]+)$/.exec(name)?.[1] ?? ""];
  let content: Buffer | null = null;
  try {
    if (type !== undefined) content = readFileSync(new URL(name, FILES));
  } catch {
    // Not there: 404.
  }
  if (type === undefined || content === null) return answer(response, 404, { error: "not found" });
  return send(response, type, content);
}

/** Answers with a document, or without one begins a stream. */
function send(response: ServerResponse, type: string, content?: string | Buffer, policy = POLICY): void {
  response.writeHead(200, {
    "Content-Type": `${type}; charset=utf-8`,
    "Content-Security-Policy": policy,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "Cache-Control": "no-store",
    ...(content === undefined ? {} : { "Content-Length": String(Buffer.byteLength(content)) }),
  });
  if (content !== undefined) response.end(content);
}
