import type { Claim } from "../../src/run/claims.js";

/** A claim of the segment `cart`, whose row holds nothing. */
export const CLAIM: Claim = {
  place: 1,
  messageId: "m1",
  segment: "cart",
  step: "nudge",
  variant: "",
  channel: "email",
  sendBy: 0,
  dueAt: 0,
  userId: "u1",
  key: "",
  class: "marketing",
  topic: null,
  template: "cart",
  occurredAt: "2026-03-02T10:00:00Z",
  address: "ada@example.com",
  timezone: null,
  locale: null,
  properties: "{}",
};
