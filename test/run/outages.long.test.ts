/** A provider that fails in six ways, at three sizes of run: what one sees of it. test/soak/outages.soak.ts has 4,000 a run. */
import { describe, expect, it } from "vitest";
import { outage, WAYS } from "../support/down.js";
import { OUTAGES } from "../support/outage-table.js";

describe.each(WAYS)("a provider: %s", (way) => {
  it.each([1, 4, 40] as const)("%i messages a run, three runs", async (messages) => {
    const { row } = await outage(way, messages);
    expect(row).toEqual(OUTAGES[way][messages]);
  });
});

describe("one message a run stops the channel with the fifth run that fails, and the next run goes on from there", () => {
  it("where the provider answers 502", async () => {
    const { row, results } = await outage("502", 1, 6);
    expect(row.slice(4)).toEqual([
      "exit 1; failed began delivery/provider-unavailable + held began delivery/in-doubt; 1 in doubt, stopped",
      "exit 1; held began delivery/in-doubt; 1 in doubt, stopped",
    ]);
    expect(results[4]?.delivery?.stoppedChannels.get("email")?.reason).toBe(
      "HTTP 502: Sign in to the network (5 messages in a row failed, 4 of them in earlier runs)",
    );
    // Twenty minutes later the pause is over, and one request decides.
    expect(results[5]?.delivery?.stoppedChannels.get("email")?.reason).toBe(
      "HTTP 502: Sign in to the network (5 messages in a row failed, 5 of them in earlier runs, and another request)",
    );
    expect(results[5]?.doubts.map(({ messages }) => messages)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("where it rejects them alike", async () => {
    const { row, shop } = await outage("400", 1, 6);
    expect(row.slice(3)).toEqual([
      "exit 0; no alert; 1 failed",
      "exit 1; failed began delivery/channel-stopped; 1 released, stopped",
      "exit 1; no alert; 2 paused",
    ]);
    expect(await shop.story("event in ('failed', 'released')")).toEqual([
      ...[0, 1, 2, 3].map((nth) => `r${String(nth)}u0 failed rejected`),
      "r4u0 released channel_stopped",
    ]);
  });
});
