import { expect, it } from "vitest";
import { ADDRESS_COLUMNS, addressOf, channelKind, CHANNEL_TYPES } from "../../src/channels/registry.js";

it("has a type once, with an address that another type may share", () => {
  expect(CHANNEL_TYPES).toEqual(["email", "sms", "push", "in_app", "webhook"]);
  expect(CHANNEL_TYPES.map((type) => channelKind(type).address.column)).toEqual(["email", "phone", "device_token", "user_id", "user_id"]);
  for (const type of CHANNEL_TYPES) expect(addressOf(channelKind(type).address.column)).toEqual(channelKind(type).address);
});

it("rows hold the addresses that are not the user's id", () => {
  expect(ADDRESS_COLUMNS).toEqual(["email", "phone", "device_token"]);
});

it("tells one address from a list, of email alone", () => {
  expect(["ada@example.com", "ada@example.com, bob@example.com", "ada"].map((text) => addressOf("email").isOne(text))).toEqual([true, false, false]);
  expect(addressOf("phone").isOne("+49 30 1234")).toBe(true);
});
