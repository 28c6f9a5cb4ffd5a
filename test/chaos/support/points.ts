/** Where a run is killed: at a statement of its own, or by the provider that it posts to. */
import type { Order, Phase } from "../worker/messages.js";
import { BATCH, IN_FLIGHT, MOST_DOUBTS, type Kind } from "./shop.js";

/** At the provider's n-th request of the run: before it takes the message, when it has, and once it has answered. */
export interface RequestStrike {
  request: number;
  moment: "arrived" | "taken" | "answered";
}

/** So many ms after the run began. */
export interface TimeStrike {
  afterMs: number;
}

export type Strike = Order | RequestStrike | TimeStrike;

export interface Point {
  name: string;
  /** One for each run that is killed, in order. */
  strikes: readonly Strike[];
  /** How many messages must be in doubt in the end, from and to. */
  inDoubt: readonly [number, number];
  only?: Kind;
}

const at = (phase: Phase, label: string, nth = 1): Order => ({ label, nth, phase, act: "kill" });
const request = (moment: RequestStrike["moment"], nth: number): RequestStrike => ({ request: nth, moment });

const NONE = [0, 0] as const;
/** The first step: as many as may be under way. */
const FIRST = [IN_FLIGHT, IN_FLIGHT] as const;
/** It, or what was marked with its first outcomes. */
const SENDING = [1, MOST_DOUBTS] as const;
const PERHAPS = [0, MOST_DOUBTS] as const;
const AMID_DELIVERY = request("taken", BATCH + 2);

/** Points of the protocol. A shop of 30 users has three batches; a run that sends them all takes five appends of events or more. */
export const POINTS: readonly Point[] = [
  { name: "before the lease is taken", strikes: [at("before", "take lease")], inDoubt: NONE },
  { name: "while the lease is taken", strikes: [at("during", "take lease")], inDoubt: NONE },
  { name: "after the lease is taken", strikes: [at("after", "take lease")], inDoubt: NONE },
  { name: "before the run's start is committed", strikes: [at("before", "commit record run start")], inDoubt: NONE },
  { name: "after the run's start is committed", strikes: [at("after", "commit record run start")], inDoubt: NONE },
  { name: "while a segment is staged", strikes: [at("during", "stage segment", 2)], inDoubt: NONE },
  { name: "during arbitration", strikes: [at("during", "arbitrate")], inDoubt: NONE },
  { name: "before the claims are inserted", strikes: [at("before", "append decisions")], inDoubt: NONE },
  { name: "while the claims are inserted", strikes: [at("during", "append decisions")], inDoubt: NONE },
  { name: "between the claims' insert and commit", strikes: [at("before", "commit append segment runs")], inDoubt: NONE },
  { name: "while the claims are committed", strikes: [at("during", "commit append segment runs")], inDoubt: NONE },
  { name: "after the claims are committed", strikes: [at("after", "commit append segment runs")], inDoubt: NONE },
  { name: "while the claims are read", strikes: [at("during", "read claims")], inDoubt: NONE },
  { name: "before the first step is handed to the warehouse", strikes: [at("before", "fill outcomes")], inDoubt: NONE },
  { name: "after the first step is handed to the warehouse", strikes: [at("after", "fill outcomes")], inDoubt: NONE },
  { name: "while the first sending rows are inserted", strikes: [at("during", "append events")], inDoubt: NONE },
  { name: "before the first sending rows are committed", strikes: [at("before", "commit append events")], inDoubt: NONE },
  { name: "while the first sending rows are committed", strikes: [at("during", "commit append events")], inDoubt: [0, IN_FLIGHT] },
  { name: "after the first sending rows are committed, before any post", strikes: [at("after", "commit append events")], inDoubt: FIRST },
  { name: "first request arrived, not taken", strikes: [request("arrived", 1)], inDoubt: FIRST },
  { name: "first message taken, not answered", strikes: [request("taken", 1)], inDoubt: FIRST },
  { name: "first message answered", strikes: [request("answered", 1)], inDoubt: SENDING },
  { name: "request amid delivery arrived, not taken", strikes: [request("arrived", BATCH + 2)], inDoubt: PERHAPS },
  { name: "message amid delivery taken, not answered", strikes: [AMID_DELIVERY], inDoubt: PERHAPS },
  { name: "message amid delivery answered", strikes: [request("answered", BATCH + 2)], inDoubt: PERHAPS },
  { name: "last message answered", strikes: [request("answered", 3 * BATCH)], inDoubt: PERHAPS },
  { name: "before the first outcomes and more sending rows are committed", strikes: [at("before", "commit append events", 2)], inDoubt: FIRST },
  { name: "while the first outcomes and more sending rows are committed", strikes: [at("during", "commit append events", 2)], inDoubt: SENDING },
  { name: "after the first outcomes and more sending rows are committed", strikes: [at("after", "commit append events", 2)], inDoubt: SENDING },
  { name: "before outcomes are committed amid delivery", strikes: [at("before", "commit append events", 4)], inDoubt: PERHAPS },
  { name: "while outcomes are committed amid delivery", strikes: [at("during", "commit append events", 4)], inDoubt: PERHAPS },
  { name: "after outcomes are committed amid delivery", strikes: [at("after", "commit append events", 4)], inDoubt: PERHAPS },
  { name: "before the run's end is committed", strikes: [at("before", "commit record run end")], inDoubt: NONE },
  { name: "after the run's end is committed", strikes: [at("after", "commit record run end")], inDoubt: NONE },
  { name: "before the lease is released", strikes: [at("before", "release lease")], inDoubt: NONE },
  { name: "after the lease is released", strikes: [at("after", "release lease")], inDoubt: NONE },
  { name: "recovery: while it is inserted", strikes: [AMID_DELIVERY, at("during", "recover")], inDoubt: PERHAPS },
  { name: "recovery: before its commit", strikes: [AMID_DELIVERY, at("before", "commit recover")], inDoubt: PERHAPS },
  { name: "recovery: during its commit", strikes: [AMID_DELIVERY, at("during", "commit recover")], inDoubt: PERHAPS },
  { name: "recovery: after its commit", strikes: [AMID_DELIVERY, at("after", "commit recover")], inDoubt: PERHAPS },
  {
    name: "three runs in a row: recovering, claiming, delivering",
    strikes: [AMID_DELIVERY, at("before", "commit append segment runs"), request("taken", 1)],
    inDoubt: [1, 2 * MOST_DOUBTS],
  },
];

/** As the suite's table names it. */
export function strikeText(strike: Strike): string {
  if ("afterMs" in strike) return `after ${String(strike.afterMs)} ms`;
  if ("request" in strike) return `request ${String(strike.request)} ${strike.moment}`;
  const { phase, label, nth } = strike;
  return `${phase} ${label === null ? `statement ${String(nth)}` : `${label}${nth === 1 ? "" : ` ${String(nth)}`}`}`;
}
