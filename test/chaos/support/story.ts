/** Runs that are killed, the run after them, and what became of every message. */
import { expect } from "vitest";
import { strikeText, type RequestStrike, type Strike } from "./points.js";
import { CountingProvider, type Hooks } from "./provider.js";
import { openGround, type Ground, type Kind, type Shop } from "./shop.js";
import { stopBefore } from "./stops.js";
import { tell } from "./table.js";
import { verdictOf, type Verdict } from "./verdict.js";
import { Spare, type Ended, type Worker } from "./workers.js";

/** What the stories of one test file share. */
export interface Stage {
  provider: CountingProvider;
  ground: Ground;
  spare: Spare;
  close(): Promise<void>;
}

export async function openStage(kind: Kind, server?: string): Promise<Stage> {
  const provider = await CountingProvider.start();
  const ground = await openGround(kind, server);
  const spare = new Spare(kind);
  return {
    provider,
    ground,
    spare,
    async close() {
      await spare.close();
      await ground.close();
      await provider.close();
    },
  };
}

/** Makes one run in a process that is struck; then the process is gone, and what it had written has arrived. */
export async function struckRun({ provider, spare }: Stage, shop: Shop, strike: Strike): Promise<Ended> {
  const worker = spare.take();
  try {
    await worker.ready;
    if ("request" in strike) return await struckByProvider(provider, worker, shop, strike);
    const running = worker.run(shop.job("phase" in strike ? [strike] : []));
    if ("afterMs" in strike) setTimeout(() => worker.kill(), strike.afterMs).unref();
    return await running;
  } finally {
    await worker.end();
    provider.hooks = {};
    await provider.idle();
  }
}

/** A run that has made the request doesn't get to its end before it is killed; one with fewer requests ends. */
function struckByProvider(provider: CountingProvider, worker: Worker, shop: Shop, { request, moment }: RequestStrike): Promise<Ended> {
  const fatal = provider.requests + request;
  provider.hooks = killing(worker, moment, fatal);
  return worker.run(shop.job([stopBefore("record run end")]), () => (provider.requests < fatal ? undefined : worker.gone));
}

function killing(worker: Worker, moment: keyof Hooks, request: number): Hooks {
  return {
    [moment]: (nth: number) => {
      if (nth === request) worker.kill();
      // What arrives at a killed sender's request is not taken: the provider saw it, and nothing came of it.
      if (nth === request && moment === "arrived") throw new Error("not taken");
    },
  };
}

/** Runs until nothing is left, and checks every message. `resent`: the channel resends what is in doubt, so that a message may come twice. */
export async function aftermath(
  stage: Stage,
  shop: Shop,
  about: { point: string; struck: string; doubts?: number; again?: boolean; resent?: boolean },
): Promise<Verdict> {
  const problems = await shop.runUntilQuiet(about.again);
  await stage.provider.idle();
  const verdict = await verdictOf(shop, stage.provider.received, about.doubts);
  tell({ point: about.point, warehouse: shop.kind, struck: about.struck, verdict });
  const twice = about.resent === true ? [] : verdict.twice;
  expect({ problems, twice, lost: verdict.lost, wrong: verdict.wrong }).toEqual({ problems: [], twice: [], lost: [], wrong: [] });
  return verdict;
}

export const struckText = (strikes: readonly Strike[]): string => strikes.map(strikeText).join(", then ");
