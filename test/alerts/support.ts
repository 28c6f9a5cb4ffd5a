/** Somebody who listens to alerts: a program that keeps what it reads, and a server that keeps what is posted. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { AlertPayload } from "../../src/alerts/tell.js";

/** Appends its standard input, and whether a shell was at work, to the file alerts.txt. */
export const KEEP = [
  "node",
  "-e",
  "require('fs').appendFileSync('alerts.txt', require('fs').readFileSync(0, 'utf8') + '\\n')",
  "$(touch shell)",
  "; touch shell",
];

/** What the program has read so far, in the order told. */
export function told(root: string): AlertPayload[] {
  const file = join(root, "alerts.txt");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as AlertPayload);
}

/** `failed began segment cart, …` of each. */
export function inWords({ alert, state, items }: AlertPayload): string {
  return `${alert} ${state}: ${items.map(({ subject, name, code }) => `${name === null ? subject : `${subject} ${name}`} ${code}`).join(", ")}`;
}

export interface Listener {
  url: string;
  posts: { headers: Record<string, unknown>; body: AlertPayload }[];
  /** What it answers with; null: it never answers. */
  status: number | null;
  server: Server;
}

export async function listener(): Promise<Listener> {
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      listening.posts.push({ headers: request.headers, body: JSON.parse(text) as AlertPayload });
      if (listening.status !== null) response.writeHead(listening.status, { Location: "/elsewhere" }).end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const listening: Listener = { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook`, posts: [], status: 200, server };
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return listening;
}
