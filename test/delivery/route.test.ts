import { describe, expect, it } from "vitest";
import { isAllowed, mayUseProvider, routeOf } from "../../src/delivery/route.js";

const real = { provider: "sendgrid" as const, settings: { sandbox: false } };
const sandbox = { provider: "sendgrid" as const, settings: { sandbox: true } };
const outbox = { provider: "outbox" as const, settings: { sandbox: false } };
const live = { live: true, allow: [] };
const rehearsal = { live: false, allow: ["Ada@Example.com", "@team.example"] };

describe("routeOf", () => {
  it.each([
    ["live target, real endpoint", "bob@example.com", real, live, false, "provider"],
    ["not live, stranger", "bob@example.com", real, rehearsal, false, "outbox"],
    ["not live, address on the list", " ADA@example.com ", real, rehearsal, false, "provider"],
    ["not live, domain on the list", "cy@team.example", real, rehearsal, false, "provider"],
    ["not live, sandbox", "bob@example.com", sandbox, rehearsal, false, "provider"],
    ["live target, replay", "bob@example.com", real, live, true, "outbox"],
    ["not live, on the list, replay", "ada@example.com", real, rehearsal, true, "outbox"],
    ["sandbox, replay", "bob@example.com", sandbox, live, true, "provider"],
    ["outbox channel, live", "bob@example.com", outbox, live, false, "outbox"],
  ] as const)("%s", (_, address, channel, target, replay, route) => {
    expect(routeOf(address, channel, target, replay)).toBe(route);
  });
});

describe("mayUseProvider", () => {
  it("spares opening a provider that no message can take", () => {
    expect(mayUseProvider(real, { live: false, allow: [] }, false)).toBe(false);
    expect(mayUseProvider(real, rehearsal, false)).toBe(true);
    expect(mayUseProvider(real, live, true)).toBe(false);
    expect(mayUseProvider(sandbox, live, true)).toBe(true);
    expect(mayUseProvider(outbox, live, false)).toBe(false);
  });
});

describe("isAllowed", () => {
  it.each([
    "bob@sub.team.example",
    "bob@team.example.evil.example",
    "evil@x.example,bob@team.example",
    "evil@x.example bob@team.example",
    "evil@x.example\nbob@team.example",
    "<bob@team.example>",
    "@team.example",
    "",
  ])("does not let %j through a domain", (address) => {
    expect(isAllowed(address, ["@team.example"])).toBe(false);
  });

  it("takes phone numbers and tokens as they are", () => {
    expect(isAllowed("+49301234", ["+49301234"])).toBe(true);
    expect(isAllowed("+493012345", ["+49301234"])).toBe(false);
    expect(isAllowed("", [""])).toBe(false);
  });
});
