/** Which messages may really leave: the guard between a target that is not live, or a replay, and people's inboxes. */
import { isAddress } from "../core/address.js";
import type { Target } from "../project/types.js";
import { leaves, type ProviderName } from "./providers/registry.js";

export type Route = "provider" | "outbox";

/** What its route depends on. */
interface Routed {
  provider: ProviderName;
  settings: { sandbox: boolean };
}

/**
 * Where a message goes.
 * - A channel of provider `outbox`: the outbox.
 * - A channel that says `sandbox: true`: the sandbox, whatever the target. Any other endpoint on this machine is a relay.
 * - A replay (`--as-of` was given): else the outbox, allow-list or not, as it tells people of a moment that is over.
 * - A live target: the provider. Another: the provider if the address is on the target's allow-list, else the outbox.
 */
export function routeOf(address: string, channel: Routed, target: Pick<Target, "live" | "allow">, replay: boolean): Route {
  if (!leaves(channel)) return "outbox";
  if (channel.settings.sandbox) return "provider";
  if (replay) return "outbox";
  return target.live || isAllowed(address, target.allow) ? "provider" : "outbox";
}

/** Whether any message of the channel could take its provider: else it need not be opened. */
export function mayUseProvider(channel: Routed, target: Pick<Target, "live" | "allow">, replay: boolean): boolean {
  if (!leaves(channel)) return false;
  return channel.settings.sandbox || (!replay && (target.live || target.allow.length > 0));
}

/**
 * Whether the allow-list holds the address itself or, as `@example.com`, exactly its domain (not its subdomains).
 * A text that is not one single address is never matched by a domain.
 */
export function isAllowed(address: string, allow: readonly string[]): boolean {
  const wanted = address.trim().toLowerCase();
  if (wanted === "") return false;
  const domain = isAddress(wanted) ? wanted.slice(wanted.lastIndexOf("@")) : null;
  return allow.some((entry) => {
    const allowed = entry.trim().toLowerCase();
    return allowed.startsWith("@") ? allowed === domain : allowed === wanted;
  });
}
