import { describe, expect, it } from "vitest";
import { bucketBelow, firstOffsetConstants, historyFrom, lookBackSeconds, stepConstants, type Arbitration } from "../../src/arbitration/constants.js";
import { capConstants, longestCapSeconds } from "../../src/arbitration/rule-constants.js";
import type { Constant } from "../../src/warehouse/sql.js";
import { AS_OF, projectWith, segmentOf } from "../segments/support.js";
import { arbitrationOf } from "./support.js";

const QUERY = "select user_id, email, phone, occurred_at from carts";

/** An arbitration of one segment with these steps, as YAML. */
function arbitration(steps: string): Arbitration {
  return arbitrationOf(projectWith(QUERY, `steps:\n${steps}\n`));
}

/** Columns of a table of constants by name. */
function rows(table: { columns: readonly { name: string }[]; rows: readonly (readonly Constant[])[] }, ...names: readonly string[]): Constant[][] {
  return table.rows.map((row) => names.map((name) => row[table.columns.findIndex((column) => column.name === name)] ?? null));
}

describe("buckets", () => {
  it("are below nothing at 0, below everything at 1, and grow with the share", () => {
    expect(bucketBelow(0)).toBe("00000000");
    expect(bucketBelow(1)).toBe("g");
    expect(bucketBelow(0.5)).toBe("80000000");
    expect(bucketBelow(0.1)).toBe("19999999");
    expect("ffffffff" < bucketBelow(1)).toBe(true);
    const shares = Array.from({ length: 10_001 }, (_, i) => bucketBelow(i / 10_000));
    expect(shares.every((below, i) => i === 0 || below > (shares[i - 1] ?? ""))).toBe(true);
    expect(shares.slice(0, -1).every((below) => /^[0-9a-f]{8}$/.test(below))).toBe(true);
  });
});

describe("steps", () => {
  it("give each variant its part of the buckets, the parts beside each other and whole", () => {
    const given = arbitration(
      "  - {name: one, channel: email, template: cart, variants: {a: {weight: 1}, b: {weight: 2, channel: sms, template: ping}, c: {weight: 1}}}\n  - {name: two, after: 1 hour, channel: email, template: cart}",
    );
    expect(
      rows(
        stepConstants({ ...given, pausedChannels: new Set(["sms"]) }, (template) => `v-${template}`),
        "step",
        "variant",
        "from_bucket",
        "to_bucket",
        "channel_paused",
        "address_kind",
        "template_version",
        "siblings",
        "factor",
      ),
    ).toEqual([
      ["one", "a", "00000000", "40000000", false, "email", "v-cart", "|a||b||c|", "one"],
      ["one", "b", "40000000", "c0000000", true, "phone", "v-ping", "|a||b||c|", "one"],
      ["one", "c", "c0000000", "g", false, "email", "v-cart", "|a||b||c|", "one"],
      ["two", "", "00000000", "g", false, "email", "v-cart", "", null],
    ]);
  });

  it("know when the first one comes: for all alike, or by the ranges of one factor's buckets", () => {
    const first = (steps: string): Constant[][] => rows(firstOffsetConstants(arbitration(steps)), "factor", "from_bucket", "to_bucket", "first_after_seconds");
    expect(first("  - {name: one, after: 10 minutes, channel: email, template: cart}")).toEqual([[null, "00000000", "g", 600]]);
    expect(
      first("  - {name: one, after: 10 minutes, channel: email, template: cart, variants: {a: {weight: 1}, b: {weight: 1, template: ping, channel: sms}}}"),
    ).toEqual([[null, "00000000", "g", 600]]);
    expect(first("  - {name: one, after: 10 minutes, channel: email, template: cart, variants: {a: {weight: 1}, b: {weight: 3, after: 1 minute}}}")).toEqual([
      ["one", "00000000", "40000000", 600],
      ["one", "40000000", "g", 60],
    ]);
    expect(
      first(
        "  - {name: one, factor: order, after: 10 minutes, channel: email, template: cart, variants: {a: {weight: 1}, b: {weight: 3, after: 2 hours}}}\n  - {name: two, factor: order, after: 1 hour, channel: email, template: cart, variants: {a: {weight: 1}, b: {weight: 3, after: 30 minutes}}}",
      ),
    ).toEqual([
      ["order", "00000000", "40000000", 600],
      ["order", "40000000", "g", 1800],
    ]);
    expect(
      first(
        "  - {name: one, after: 10 minutes, channel: email, template: cart, variants: {a: {weight: 1}, b: {weight: 3, after: 2 hours}}}\n  - {name: two, after: 1 hour, channel: email, template: cart}\n  - {name: three, after: 3 hours, channel: email, template: cart, variants: {c: {}, d: {after: 4 hours}}}",
      ),
    ).toEqual([
      ["one", "00000000", "40000000", 600],
      ["one", "40000000", "g", 3600],
    ]);
  });

  it("look back as far as the longest of them lasts, variants included", () => {
    expect(
      lookBackSeconds(
        segmentOf(
          arbitration(
            "  - {name: one, after: 1 hour, within: 1 hour, channel: email, template: cart, variants: {a: {weight: 1}, b: {weight: 1, after: 2 hours, within: 3 hours}}}",
          ).project,
        ),
      ),
    ).toBe(5 * 3600);
  });
});

describe("history", () => {
  const steps = "  - {name: one, after: 1 hour, within: 1 hour, channel: email, template: cart}";

  it("reaches two look-backs behind the last successful run, further where the segment was longer then, repeats or is backfilled", () => {
    const [one] = arbitration(steps).segments;
    if (one === undefined) throw new Error("no segment");
    const previous = { shape: "s", activatedAt: null, asOf: "2026-03-01T12:00:00Z", steps: [] };
    const longer = { ...previous, steps: [{ step: "one", variant: "", afterSeconds: 3 * 3600, withinSeconds: 3600, activeSince: null }] };
    const every = { ...one.segment, repeat: { kind: "every" as const, seconds: 86_400 } };
    expect(historyFrom(one, AS_OF)).toBe("2026-03-02T08:00:00Z");
    expect(historyFrom({ ...one, previous }, AS_OF)).toBe("2026-03-01T08:00:00Z");
    expect(historyFrom({ ...one, previous: longer }, AS_OF)).toBe("2026-03-01T04:00:00Z");
    expect(historyFrom({ ...one, segment: every }, AS_OF)).toBe("2026-03-01T06:00:00Z");
    expect(historyFrom({ ...one, backfill: true }, AS_OF)).toBe("1970-01-01T00:00:00Z");
  });
});

describe("caps", () => {
  it("stand in the order written, the spacing last", () => {
    const { project } = arbitration("  - {name: one, channel: email, template: cart}");
    const policy = {
      ...project.policy,
      caps: [
        { name: "sms", max: 1, windowSeconds: 604_800, channel: "sms", topic: null },
        { name: "2 per 48 hours", max: 2, windowSeconds: 172_800, channel: null, topic: "carts" },
      ],
      spacingSeconds: 3600,
    };
    expect(capConstants({ ...project, policy }).rows).toEqual([
      [0, "sms", 1, 604_800, "sms", null, false],
      [1, "2 per 48 hours", 2, 172_800, null, "carts", false],
      [2, "spacing", 1, 3600, null, null, true],
    ]);
    expect(longestCapSeconds({ ...project, policy })).toBe(604_800);
    expect(longestCapSeconds({ ...project, policy: { ...policy, caps: [] } })).toBe(3600);
    expect(longestCapSeconds({ ...project, policy: { ...policy, caps: [], spacingSeconds: null } })).toBe(0);
  });
});
