/** From claims in the work tables to messages at their providers, and to their outcomes in the ledger. */
import { Readable } from "node:stream";
import { instant } from "../core/clock.js";
import { OUTBOX_ID } from "../core/outbox-id.js";
import { deliverClaims, type DeliveryResult } from "../delivery/deliver.js";
import { openLanes } from "../delivery/lanes/lanes.js";
import type { DeliveryEvent, Earlier, PauseState } from "../delivery/types.js";
import { earlierAnswers } from "../ledger/events/answers.js";
import { appendEvents, type ClaimEvent } from "../ledger/events/append.js";
import type { HeldLedger } from "../ledger/lease/held-ledger.js";
import { setPause, type Pause } from "../ledger/pauses.js";
import type { Project } from "../project/types.js";
import { messageOf, readClaims, type Claim } from "./claims.js";
import type { Decisions, Job, Place } from "./types.js";

/** Claims read and rendered together. */
const BATCH = 2_500;

/** `claims`: whether there are any to read. */
export async function deliver(
  { project, ledger, held, facts, renderer, run, options }: Job & { held: HeldLedger },
  { numbers }: Decisions,
  claims: boolean,
  onAccepted: (event: DeliveryEvent<Claim> & { event: "accepted" }) => void,
): Promise<DeliveryResult> {
  const { now } = options;
  // A sender whose last runs went well has nothing to ask.
  const earlier: ReadonlyMap<string, Earlier> = claims && facts.troubled ? await earlierAnswers(ledger, run) : new Map();
  // Without claims no channel is opened: the providers' libraries are a tenth of what such a run takes.
  const lanes = await openLanes(claims ? project : { ...project, channels: new Map() }, options.asOf !== null, earlier, now);
  // In a replay the windows of as_of's day count, so that what it would have sent in time is not too late today.
  const offset = options.asOf === null ? 0 : Date.parse(options.asOf) - now();
  const clock = (): number => now() + offset;
  try {
    return await deliverClaims(
      claims ? readClaims(project, ledger.warehouse, BATCH) : Readable.from([]),
      {
        render: (claim) => messageOf(claim, project, renderer, { ...run, numbers, judged: true }),
        lane: (message) => lanes.laneOf(message),
        append: async (events) => {
          for (const event of events) if (event.event === "accepted") onAccepted(event);
          return pauseState(
            await appendEvents(
              held,
              run,
              events.map((event) => toLedger(event, offset)),
            ),
          );
        },
        now: clock,
        ...(options.sleep === undefined ? {} : { sleep: options.sleep }),
      },
      {
        flushAfterMs: ledger.dialect.outcomesWaitMs,
        marks: ledger.dialect.marks,
        sendUntil: () => clock() + held.sendingLeftMs(),
        onProgress: options.onProgress,
        ...(options.stop === undefined ? {} : { stop: options.stop }),
        ...(options.abandon === undefined ? {} : { abandon: options.abandon }),
      },
    );
  } finally {
    await lanes.close();
  }
}

/** Where an accepted message went. */
export function placeOf({ claim, providerId }: DeliveryEvent<Claim> & { event: "accepted" }, { channels }: Project): Place {
  if (providerId?.startsWith(OUTBOX_ID) === true) return "outbox";
  return channels.get(claim.channel)?.settings.sandbox === true ? "sandbox" : "provider";
}

/** `offset` is how far the delivery's clock is ahead of the wall's, which the ledger records. */
function toLedger(event: DeliveryEvent<Claim>, offset: number): ClaimEvent {
  const failure = event.event === "sending" || event.event === "accepted" ? null : event;
  return {
    messageId: event.claim.messageId,
    place: event.claim.place,
    event: event.event,
    at: event.at - offset,
    reason: failure === null ? event.event : failure.event === "in_doubt" ? "no_answer" : failure.reason,
    detail: failure === null ? null : JSON.stringify({ because: failure.detail }),
    providerId: event.event === "accepted" ? event.providerId : null,
    ...(event.event === "failed" && event.unposted === true ? { unposted: true } : {}),
  };
}

function pauseState(standing: readonly Pause[]): PauseState {
  const named = (scope: string): Set<string> => new Set(standing.filter((pause) => pause.scope === scope).map((pause) => pause.name));
  return { project: named("project").size > 0, segments: named("segment"), channels: named("channel") };
}

/** A dry run proves that what it would send can be rendered. */
export async function renderAll({ project, ledger, renderer, run }: Job, { numbers }: Decisions): Promise<Record<string, number>> {
  const invalid: Record<string, number> = {};
  for await (const claims of readClaims(project, ledger.warehouse, BATCH)) {
    for (const claim of claims) {
      const message = messageOf(claim, project, renderer, { ...run, numbers, judged: true });
      if ("invalid" in message) invalid[message.invalid] = (invalid[message.invalid] ?? 0) + 1;
    }
  }
  return invalid;
}

/** Leaves the channels alone that stopped: what they would send waits as `paused`, instead of being claimed and released by each run. */
export async function pauseStopped({ ledger, run }: Job, delivery: DeliveryResult | null): Promise<Map<string, string>> {
  const pausedUntil = new Map<string, string>();
  const now = ledger.now();
  const stop = { kind: "breaker", paused: true, trial: run.trial } as const;
  for (const [name, { pauseMs, reason }] of delivery?.stoppedChannels ?? []) {
    await setPause(ledger, { ...stop, scope: "channel", name, until: now + pauseMs, note: reason });
    pausedUntil.set(name, instant(now + pauseMs));
  }
  return pausedUntil;
}
