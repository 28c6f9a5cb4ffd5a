import type { Project } from "./types.js";

/** Every value of a project that nobody may be shown: keys, passwords, and where and how alerts go. */
export function secretsOf({ target, channels, links }: Pick<Project, "target" | "channels" | "links">): string[] {
  const { connection, onAlert } = target;
  const values = [
    ...[...channels.values()].map(({ apiKey }) => apiKey),
    links.unsubscribeSecret,
    connection.type === "postgres" ? connection.password : null,
    onAlert?.webhook?.url ?? null,
    ...Object.values(onAlert?.webhook?.headers ?? {}),
  ];
  return values.filter((value) => value !== null);
}
