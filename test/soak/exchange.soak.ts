/**
 * An exchange cut or hung at every byte, through whole delivery and the runs that follow: none
 * twice, none lost.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { ANSWERS, GOOD, type Answer } from "../delivery/answers.js";
import type { Cut } from "../delivery/cutter.js";
import { blocksIn, deliver, headersEnd, lawOf, moveOf, type Told } from "../delivery/exchange.js";
import type { Move } from "../delivery/receiver.js";

const ENDINGS = ["fin", "rst", "hang"] as const;
const ACCEPTED: Move = { answer: GOOD, ending: "open" };
const RUNS = 6;
const AT_ONCE = 24;
const TLS = join(import.meta.dirname, "../data/tls");
const KEYS = { key: readFileSync(join(TLS, "server.key"), "utf8"), cert: readFileSync(join(TLS, "server.pem"), "utf8") };

/** What each state of a kind came to. */
class Figures {
  states = 0;
  messages = 0;
  readonly doubles: string[] = [];
  readonly lost: string[] = [];
  readonly unlawful: string[] = [];
  readonly outcomes: Record<string, number> = {};

  /** `law`: the outcome that the second message must have; null where several are right. */
  add(state: string, { outcomes, taken }: Told, law: string | null): void {
    this.states += 1;
    for (const [id, list] of Object.entries(outcomes)) {
      const last = list.at(-1) ?? "none";
      this.messages += 1;
      this.outcomes[last] = (this.outcomes[last] ?? 0) + 1;
      const times = taken.get(id) ?? 0;
      if (times > 1) this.doubles.push(`${state}: ${id}`);
      if (last === "none" || last.startsWith("released") || (last === "accepted" && times === 0)) this.lost.push(`${state}: ${id} ${last}`);
      if (law !== null && last !== (id === "m2" ? law : "accepted")) this.unlawful.push(`${state}: ${id} ${last}`);
    }
  }

  end(kind: string): void {
    const { states, messages, doubles, lost, outcomes } = this;
    console.info(`${kind}: ${states} states, ${messages} messages, ${JSON.stringify(outcomes)}; ${doubles.length} twice, ${lost.length} lost`);
    expect({ doubles, lost, unlawful: this.unlawful }).toEqual({ doubles: [], lost: [], unlawful: [] });
  }
}

/** Does all of the work, so many at once. */
async function each<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = all.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const one of left) await work(one);
    }),
  );
}

/**
 * The second of three exchanges breaks off, on a connection that has been used and is wanted again.
 */
function second(move: Move): (exchange: number) => Move {
  return (exchange) => (exchange === 2 ? move : ACCEPTED);
}

const LAW: Readonly<Record<Answer["means"], string>> = {
  accepted: "accepted",
  failed: "failed rejected",
  again: "accepted",
  stopped: "accepted",
  in_doubt: "in_doubt",
};

/** Every byte; of thousands of equal ones every 97th. */
function places(answer: Answer): number[] {
  const step = answer.bytes.length > 1000 ? 97 : 1;
  return Array.from({ length: Math.floor(answer.bytes.length / step) + 1 }, (_, at) => at * step);
}

it("answers of every kind, after each of their bytes", async () => {
  const figures = new Figures();
  const states = Object.entries(ANSWERS).flatMap(([name, answer]) =>
    places(answer).flatMap((sent) => ENDINGS.map((ending) => ({ name, answer, sent, ending }))),
  );
  await each(states, async ({ name, answer, sent, ending }) => {
    const move = moveOf(answer, sent, ending);
    const told = await deliver({ script: second(move), messages: 3, runs: RUNS, headers: 1 + blocksIn(answer, sent) });
    figures.add(`${name}, ${ending} after ${sent}`, told, LAW[lawOf(answer, sent)]);
  });
  figures.end("answers");
});

it("requests, after each of their bytes, on a new connection and on one that was used", async () => {
  const figures = new Figures();
  const states = Array.from({ length: 900 }, (_, read) => read).flatMap((read) => ENDINGS.flatMap((ending) => [1, 2].map((at) => ({ read, ending, at }))));
  await each(states, async ({ read, ending, at }) => {
    if (read === 0 && at === 2) return;
    const move: Move = { read, answer: "", ending };
    const told = await deliver({ script: (exchange) => (exchange === at ? move : ACCEPTED), messages: 3, runs: RUNS, headers: at - 1 });
    figures.add(`${ending} after ${read} of request ${at}`, told, at === 2 ? "in_doubt" : null);
  });
  figures.end("requests");
});

it("answers to a request that is still under way", async () => {
  const figures = new Figures();
  const html = "x".repeat(12 * 1024 * 1024);
  const refusals = ["429", "503", "500 in chunks", "401", "103, then 503", "102, then 401", "103 alone", "302"].map((name) => ({
    name,
    answer: ANSWERS[name] as Answer,
  }));
  const states = refusals.flatMap(({ name, answer }) =>
    [headersEnd(answer), answer.bytes.length - 1, answer.bytes.length].flatMap((sent) => ENDINGS.map((ending) => ({ name, answer, sent, ending }))),
  );
  for (const { name, answer, sent, ending } of states) {
    const script = second({ ...moveOf(answer, sent, ending), read: 2000 });
    // A connection reset with a request under way may lose the answer on its way: then it is in
    // doubt.
    const told = await deliver({ script, messages: 3, html, runs: RUNS, headers: 1 + blocksIn(answer, sent) });
    figures.add(`${name}, ${ending} after ${sent}`, told, ending === "rst" ? null : LAW[lawOf(answer, sent)]);
  }
  figures.end("early answers");
});

beforeAll(() => vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0"));
afterAll(() => vi.unstubAllEnvs());

it.each(["client", "server"] as const)("TLS, after each byte towards the %s, its handshake's too", async (towards) => {
  const figures = new Figures();
  let whole = false;
  for (let from = 0; !whole && from < 10_000; from += AT_ONCE) {
    const cuts: Cut[] = Array.from({ length: AT_ONCE }, (_, at) => at + from).flatMap((bytes) => ENDINGS.map((ending) => ({ towards, bytes, ending })));
    whole = true;
    await each(cuts, async (cut) => {
      // A wire that hangs is left to the next run: this one would wait for its connection to time
      // out.
      const told = await deliver({ script: () => ACCEPTED, runs: RUNS, attempts: cut.ending === "hang" ? 1 : 5, tls: { keys: KEYS, cut } });
      figures.add(`${cut.ending} after ${cut.bytes} to the ${towards}`, told, null);
      if (told.connections > 1 || told.outcomes["m1"]?.[0] !== "accepted") whole = false;
    });
  }
  expect(whole).toBe(true);
  figures.end(`TLS towards the ${towards}`);
});
