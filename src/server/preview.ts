/** The page with the messages of a preview, which it follows as they are rendered anew. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { Problem } from "../core/errors.js";
import { closeServer, listen } from "./listen.js";
import { answer, strange } from "./requests.js";
import { createPage, type PageMessage } from "./page.js";

/** What rendering gave. */
export interface Rendering {
  /** ISO 8601 UTC. */
  at: string;
  /** Null where none could be rendered: those before stay. */
  messages: readonly PageMessage[] | null;
  problems: readonly Problem[];
}

export interface PreviewServer {
  /** E.g. `http://127.0.0.1:4011`. */
  url: string;
  /** Shows it at once in every browser; problems stand above the messages that were rendered before. */
  show(rendering: Rendering): void;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1. Throws OpportuneError `preview/port` where it can't. */
export async function startPreviewServer({ port, title }: { port: number; title: string }): Promise<PreviewServer> {
  let messages: readonly PageMessage[] = [];
  let problems: readonly Problem[] = [];
  let at = "";
  let epoch = randomUUID();
  const page = createPage({
    state: () => ({ kind: "preview", title, epoch, newest: messages.length, problems, at }),
    list(search, limit) {
      const found = messages.filter(({ to, subject, segment, step }) => [to, subject, segment, step].some((text) => text.toLowerCase().includes(search)));
      return { found: found.length, messages: found.slice(0, limit) };
    },
    find: (id) => messages.find((message) => message.id === id) ?? null,
    decision: null,
  });
  const server = createServer((request, response) => {
    const refusal = strange(request);
    if (refusal !== null) answer(response, 403, { error: refusal });
    else if (!page.handle(request, response, (request.url ?? "/").split("?", 1)[0] ?? "/")) answer(response, 404, { error: "not found" });
  });
  const url = await listen(server, { host: "127.0.0.1", port, code: "preview/port" });
  return {
    url,
    show(rendering) {
      epoch = randomUUID();
      at = rendering.at;
      problems = rendering.problems;
      messages = rendering.messages ?? messages;
      page.changed();
    },
    close: () => closeServer(server),
  };
}
