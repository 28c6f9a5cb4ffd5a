/**
 * Opens what a run delivers through: a lane a channel, and one outbox for everything that must not
 * leave.
 */
import path from "node:path";
import type { Project } from "../../project/types.js";
import { createOutbox } from "../providers/outbox.js";
import { providerKind } from "../providers/registry.js";
import { mayUseProvider, routeOf } from "../route.js";
import { NOTHING_EARLIER, type Earlier, type Lane, type OutgoingMessage, type Provider } from "../types.js";

/** A disk takes about so many files at once before it gets no faster. */
const OUTBOX_IN_FLIGHT = 16;

export interface Lanes {
  /** The lane of a message; throws RangeError for a channel that the project doesn't have. */
  laneOf(message: Pick<OutgoingMessage, "channel" | "address">): Lane;
  /** Frees every provider's connections. */
  close(): Promise<void>;
}

/**
 * Opens the lanes of a project's channels. `replay`: an explicit `--as-of`, delivered to the
 * sandbox or the outbox alone. A provider's library is loaded only if some message could take it.
 * `earlier`: what earlier runs say of channels. `now` is epoch ms. Throws OpportuneError where a
 * channel that is needed has no key or an endpoint that can't be used.
 */
export async function openLanes(
  project: Pick<Project, "root" | "target" | "channels">,
  replay: boolean,
  earlier: ReadonlyMap<string, Earlier> = new Map(),
  now: () => number = Date.now,
): Promise<Lanes> {
  const { root, target, channels } = project;
  const outbox: Lane = {
    name: "outbox",
    provider: createOutbox(path.resolve(root, target.outbox), now),
    inFlight: OUTBOX_IN_FLIGHT,
    ratePerSecond: Infinity,
    onDoubt: "hold",
    earlier: NOTHING_EARLIER,
  };
  const open: Provider[] = [];
  const lanes = new Map<string, Lane>();
  for (const channel of channels.values()) {
    if (!mayUseProvider(channel, target, replay)) continue;
    // A file on this machine has no clock of its own; other warehouses' clocks were compared before
    // the run.
    const provider = await providerKind(channel.provider).open?.(channel, { compareClocks: target.connection.type === "duckdb" });
    if (provider === undefined) continue;
    open.push(provider);
    const { name, inFlight, ratePerSecond, settings } = channel;
    lanes.set(name, { name, provider, inFlight, ratePerSecond, onDoubt: settings.onDoubt, earlier: earlier.get(name) ?? NOTHING_EARLIER });
  }
  return {
    laneOf(message) {
      const channel = channels.get(message.channel);
      if (channel === undefined) throw new RangeError(`no channel ${message.channel}`);
      if (routeOf(message.address, channel, target, replay) === "outbox") return outbox;
      return lanes.get(message.channel) ?? outbox;
    },
    async close() {
      await Promise.all(open.map((provider) => provider.close()));
    },
  };
}
