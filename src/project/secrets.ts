import type { Project } from "./types.js";

/** Every value of a project that nobody may be shown: keys, passwords, and where and how alerts go. */
export function secretsOf({ target, channels, links }: Pick<Project, "target" | "channels" | "links">): string[] {
  const { connection, onAlert } = target;
  const values = [
    ...[...channels.values()].map(({ apiKey }) => apiKey),
    links.unsubscribeSecret,
    ...passwordsOf(connection),
    onAlert?.webhook?.url ?? null,
    // A key is a secret without the word before it too.
    ...Object.values(onAlert?.webhook?.headers ?? {}).flatMap((value) => [value, value.replace(/^\w+ +/, "")]),
  ];
  return values.filter((value) => value !== null);
}

function passwordsOf(connection: Project["target"]["connection"]): (string | null)[] {
  switch (connection.type) {
    case "duckdb":
      return [];
    case "postgres":
      return [connection.password];
    case "snowflake":
      return Object.entries(connection.signIn)
        .filter(([name]) => name !== "kind" && name !== "file")
        .map(([, value]) => value);
  }
}
