/** Providers that fail, each in its way, and what three runs make of one: the rows of the outage table. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { Alerts } from "../../src/alerts/alerts.js";
import { loadProject } from "../../src/project/build/load.js";
import { run } from "../../src/run/run.js";
import type { RunResult } from "../../src/run/types.js";
import { FakeClock } from "../delivery/fixtures.js";
import { KEEP, inWords, told } from "../alerts/support.js";
import { QUIET_RUN } from "./quiet-run.js";
import { MINUTE, Shop, T0 } from "./run-shop.js";

export const WAYS = ["down", "hangs", "502", "500", "400", "200 with a web page"] as const;
export type Way = (typeof WAYS)[number];

const JSON_400 = JSON.stringify({ errors: [{ message: "The from address does not match a verified Sender Identity.", field: "from" }] });

/** What a provider answers to every request; null: never anything. */
function answer(way: Way): RequestListener | null {
  if (way === "hangs") return null;
  const page = way === "200 with a web page" || way === "502";
  const body = page ? "<html><head><title>Sign in to the network</title></head></html>" : way === "400" ? JSON_400 : "{}";
  return (request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(Number(way.slice(0, 3)), { "content-type": page ? "text/html" : "application/json" }).end(body));
  };
}

/** Its URL. A provider that is down is one whose port nobody listens on any more. */
async function provider(way: Way): Promise<string> {
  const server = createServer((request, response) => answer(way)?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  const { port } = server.address() as AddressInfo;
  if (way === "down") close();
  else onTestFinished(close);
  return `http://127.0.0.1:${String(port)}`;
}

/** Least time between two runs: any pause of a breaker after an outage is over by the next, that after a refusal is not. */
const BETWEEN = 20 * MINUTE;

/** Runs, three by default, 20 minutes apart, with so many messages newly due in each: exit code, alerts, and the outcomes. */
export async function outage(way: Way, messages: number, runs = 3): Promise<{ row: string[]; results: RunResult[]; shop: Shop }> {
  const shop = await Shop.open({ endpoint: await provider(way) });
  shop.edit("segments/cart.sql", "status: live", "status: live\nfirst_run: send");
  shop.edit("opportune.yml", "in_flight: 1", "timeout: 1 second");
  shop.edit("opportune.yml", "live: true}", `live: true, on_alert: {command: ${JSON.stringify(KEEP.slice(0, 3))}}}`);
  shop.edit("opportune.yml", "max_per_run: 100", "max_per_run: 100000\n  surge: false");
  const clock = new FakeClock();
  const project = loadProject(shop.root, { env: {}, target: "prod" });
  const alerts = new Alerts({ now: clock.now, onFailure: (message) => expectNothing(message) });
  const row: string[] = [];
  const results: RunResult[] = [];
  for (let nth = 0; nth < runs; nth += 1) {
    clock.time = T0 + nth * BETWEEN;
    const before = told(shop.root).length;
    await shop.carts(
      Array.from({ length: messages }, (_, i) => `r${String(nth)}u${String(i)}`),
      30 - (nth * BETWEEN) / MINUTE,
    );
    const result = await shop.warehouse(async (warehouse) => {
      const segments = [...project.segments.values()];
      const ended = await run(project, warehouse, { ...QUIET_RUN, segments, now: clock.now, sleep: clock.sleep });
      await alerts.after({ went: "through", result: ended }, project, warehouse);
      return ended;
    });
    results.push(result);
    row.push(cell(result, told(shop.root).slice(before).map(inWords)));
  }
  return { row, results, shop };
}

function expectNothing(message: string): void {
  throw new Error(message);
}

/** `exit 1; failed delivery/failures; 4 in doubt`, in the order of delivery. */
function cell({ problems, delivery, decisions }: RunResult, alerts: readonly string[]): string {
  const counts = [...(delivery?.channels.values() ?? [])][0] ?? { accepted: 0, failed: 0, inDoubt: 0, released: 0 };
  const paused = decisions.segments.reduce((sum, { reasons }) => sum + (reasons["paused"] ?? 0), 0);
  const parts = [
    [counts.accepted, "accepted"],
    [counts.failed, "failed"],
    [counts.inDoubt, "in doubt"],
    [counts.released, "released"],
    [paused, "paused"],
  ] as const;
  const stop = delivery === null || delivery.stoppedChannels.size === 0 ? "" : ", stopped";
  return [
    `exit ${problems.length === 0 ? "0" : "1"}`,
    alerts.map((alert) => alert.replace(/ (channel email|run \S+)/gu, "").replace(": ", " ")).join(" + ") || "no alert",
    parts
      .filter(([n]) => n > 0)
      .map(([n, what]) => `${String(n)} ${what}`)
      .join(", ") + stop,
  ].join("; ");
}
