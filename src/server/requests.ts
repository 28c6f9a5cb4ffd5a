/** What a server for this machine alone needs: who may ask, reading bodies, answering. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isLoopback } from "../core/loopback.js";

/**
 * Why a request is refused; null if it may pass. A page on the web can make a browser call this machine: by a name of its
 * own that resolves here (then Host is that name), or across origins (then Origin is its own).
 */
export function strange(request: IncomingMessage): string | null {
  const host = request.headers.host ?? "";
  if (!isLoopback(host.replace(/:\d{1,5}$/, ""))) return "This server answers to 127.0.0.1, localhost and [::1] alone; the Host header names another.";
  const { origin } = request.headers;
  const reads = request.method === "GET" || request.method === "HEAD";
  if (!reads && origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    return "Requests from other origins may not change anything here.";
  return null;
}

/** Reads a body and hands it on; null if it is larger than `most` bytes. A sender of more than twice that is cut off. */
export function readBody(request: IncomingMessage, most: number, done: (body: Buffer | null) => void): void {
  let chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= most) chunks.push(chunk);
    // Read on without keeping it: an answer before the end would reach a sender that is still busy writing as a reset.
    else chunks = [];
    if (size > 2 * most) request.destroy();
  });
  request.on("end", () => done(size > most ? null : chunks.length === 1 ? (chunks[0] ?? null) : Buffer.concat(chunks)));
}

/** Answers with JSON, or without a body. */
export function answer(response: ServerResponse, status: number, body?: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const text = body === undefined ? "" : `${JSON.stringify(body)}\n`;
  response
    .writeHead(status, {
      ...(body === undefined ? {} : { "Content-Type": "application/json; charset=utf-8", "Content-Length": String(Buffer.byteLength(text)) }),
      "X-Content-Type-Options": "nosniff",
      ...headers,
    })
    .end(text);
}

/** A body as JSON; null where it is none. */
export function parsed(body: Buffer | null): unknown {
  try {
    return JSON.parse(body?.toString("utf8") ?? "");
  } catch {
    return null;
  }
}
