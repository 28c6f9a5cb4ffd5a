import { proxySecrets } from "../../core/proxies.js";
import type { Project } from "../types.js";

/** Every value of a project that nobody may be shown: keys, passwords, and where and how alerts go. */
export function secretsOf({ target, channels, links }: Pick<Project, "target" | "channels" | "links">): string[] {
  const { connection, onAlert } = target;
  const values = [
    ...[...channels.values()].map(({ apiKey }) => apiKey),
    links.unsubscribeSecret,
    ...passwordsOf(connection),
    ...proxySecrets(),
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
    case "bigquery":
      return connection.signIn.kind === "key" ? [connection.signIn.key, privateKeyIn(connection.signIn.key)] : [];
  }
}

/** The key within a service account's JSON, as a library that was given it might show it. */
function privateKeyIn(json: string): string | null {
  try {
    const { private_key: key } = JSON.parse(json) as { private_key?: unknown };
    return typeof key === "string" ? key : null;
  } catch {
    return null;
  }
}
