import { proxySecrets } from "../../core/proxies.js";
import { providerKind } from "../../delivery/providers/registry.js";
import { typeOf } from "../targets/targets.js";
import type { Project } from "../types.js";

/** Every value of a project that nobody may be shown: keys, passwords, and where and how alerts go. */
export function secretsOf({ target, channels, links }: Pick<Project, "target" | "channels" | "links">): string[] {
  const { connection, onAlert } = target;
  const values = [
    ...[...channels.values()].flatMap(({ provider, settings }) => Object.values(providerKind(provider).secrets(settings))),
    links.unsubscribeSecret,
    ...typeOf(connection.type).secrets(connection),
    ...proxySecrets(),
    onAlert?.webhook?.url ?? null,
    // A key is a secret without the word before it too.
    ...Object.values(onAlert?.webhook?.headers ?? {}).flatMap((value) => [value, value.replace(/^\w+ +/, "")]),
  ];
  return values.filter((value) => value !== null);
}
