import { describe, expect, it } from "vitest";
import { alike } from "../../src/core/alike.js";
import type { DeliveryResult } from "../../src/delivery/deliver.js";
import { failedDeliveries } from "../../src/delivery/failures.js";
import { verdictOf, type Outcomes, type Verdict } from "../../src/delivery/verdict.js";

describe("the verdict on a delivery", () => {
  // accepted, failed, in doubt, released for want of the provider; verdict, and that of a strict run.
  const table: [number, number, number, number, Verdict, Verdict][] = [
    [0, 0, 0, 0, "well", "well"],
    [1, 0, 0, 0, "well", "well"],
    [0, 0, 1, 0, "nothing_accepted", "nothing_accepted"],
    [0, 0, 0, 1, "nothing_accepted", "nothing_accepted"],
    [0, 4, 1, 0, "nothing_accepted", "nothing_accepted"],
    [1, 0, 1, 0, "well", "any"],
    [1, 0, 0, 9, "well", "any"],
    [1, 0, 0, 10, "many", "many"],
    // Rejected alone may be nothing but bad addresses, as long as they are few.
    [0, 9, 0, 0, "well", "any"],
    [0, 10, 0, 0, "many", "many"],
    [190, 10, 0, 0, "many", "many"],
    [191, 10, 0, 0, "well", "any"],
    [190, 4, 3, 3, "many", "many"],
    [100_000, 5_000, 0, 0, "well", "any"],
    [95_000, 5_000, 0, 0, "many", "many"],
    [0, 2_000, 0, 0, "many", "many"],
  ];
  it.each(table)("%i accepted, %i failed, %i in doubt, %i released: %s, strict: %s", (accepted, failed, inDoubt, untaken, verdict, strict) => {
    const outcomes = { accepted, failed, inDoubt, untaken };
    expect(verdictOf(outcomes, false)).toBe(verdict);
    expect(verdictOf(outcomes, true)).toBe(strict);
  });
});

describe("channels that failed", () => {
  const good: Outcomes = { accepted: 94, failed: 6, inDoubt: 0, untaken: 0 };
  const result = (channels: Record<string, Outcomes>, stopped: string[] = []): DeliveryResult =>
    ({
      channels: new Map(Object.entries(channels)),
      stoppedChannels: new Map(stopped.map((name) => [name, {}])),
      reasons: [{ channel: "sms", outcome: "in_doubt", reason: "no answer\nwithin 30 seconds", messages: 2 }],
    }) as unknown as DeliveryResult;

  it("are named with the commonest reason and the command, each by itself", () => {
    const failed = failedDeliveries(result({ email: good, sms: { accepted: 0, failed: 0, inDoubt: 2, untaken: 1 } }), false, " --target prod");
    expect(failed).toEqual([
      {
        channel: "sms",
        problem: {
          code: "delivery/failures",
          message:
            "Channel sms: 3 of 3 messages failed and none was accepted (2 in doubt, 1 released). The commonest reason (2 messages): no answer within 30 seconds",
          hint: "`opportune doubts --target prod` lists those in doubt; `opportune doubts settle --target prod` settles them.",
        },
      },
    ]);
  });

  it("are looked at together where none failed by itself", () => {
    const failed = failedDeliveries(result({ email: good, push: good }), false, "");
    expect(failed.map(({ channel, problem }) => [channel, problem.message])).toEqual([
      ["", "All channels together: 12 of 200 messages failed (12 failed for good). The commonest reason (2 messages): no answer within 30 seconds"],
    ]);
    expect(failedDeliveries(result({ email: good }), false, "")).toEqual([]);
  });

  it("are not named a second time where they stopped", () => {
    expect(failedDeliveries(result({ sms: { accepted: 0, failed: 0, inDoubt: 6, untaken: 1 } }, ["sms"]), true, "")).toEqual([]);
  });
});

describe("reasons alike", () => {
  it.each([
    ["HTTP 400: Bad address ada@example.com (personalizations.0.to)", "HTTP 400: Bad address bob+x@example.org (personalizations.7.to)", true],
    ["HTTP 400: request 9f86d081-884c-4d63 refused", "HTTP 400: request  2c26b46b-68ff-4f00 refused", true],
    ["HTTP 400: refused", "HTTP 413: refused", false],
    ["HTTP 400: The subject is empty.", "HTTP 400: The sender is unknown.", false],
  ])("%s / %s: %s", (one, other, same) => {
    expect(alike(one) === alike(other)).toBe(same);
  });
});
