import { expect, it } from "vitest";
import { isAddress } from "../../src/core/address.js";
import { addressProblem } from "../../src/segments/address.js";
import { Binder } from "../../src/warehouse/sql.js";
import { warehouseWith } from "./support.js";

const at = (...codes: number[]): string => String.fromCharCode(...codes);

const GOOD = [
  "ada@example.com",
  "  ada@example.com  ",
  "ADA@Example.COM",
  "a@b.co",
  "ada.lovelace+cart_7-x@mail.shop.example.com",
  "o'brien@example.com",
  "ada@exämple.de",
  "ädä@example.com",
  "漢@例え.jp",
  "a&b=c!#$%*/?^`{|}~@example.com",
  "%_@example.com",
  "ada@192.168.0.1",
  `${"a".repeat(64)}@${"b".repeat(185)}.com`,
];

const BAD: readonly (string | null)[] = [
  null,
  "",
  "   ",
  "ada",
  "@example.com",
  "ada@",
  "ada@example",
  "ada@example.",
  "ada@@example.com",
  "ada@home@example.com",
  "ada@example.com,bob@example.com",
  "ada@example.com;bob@example.com",
  "ada@example.com bob@example.com",
  "Ada <ada@example.com>",
  "<ada@example.com>",
  '"ada"@example.com',
  "ada@[127.0.0.1]",
  "ada(at)@example.com",
  "mailto:ada@example.com",
  "ada\\@example.com",
  "ada@example.com\r\nBcc: bob@example.com",
  "ada@example.com\n",
  "ada@exa mple.com",
  "ada@\texample.com",
  `ada@exam${at(0xa0)}ple.com`,
  `ada@example.com${at(0x85)}`,
  `ada${at(0x7f)}@example.com`,
  `ada${at(0x1f)}@example.com`,
  `ada@example${at(0x2028)}.com`,
  `ada${at(0x2029)}@example.com`,
  `${"a".repeat(64)}@${"b".repeat(187)}.com`,
];

async function refused(kind: "email" | "phone" | "device_token", addresses: readonly (string | null)[]): Promise<(string | null)[]> {
  const warehouse = await warehouseWith();
  const binder = new Binder(warehouse.dialect);
  const problem = addressProblem(kind, "a", warehouse.dialect, binder);
  const first = binder.params.length;
  const values = addresses.map((_, i) => `(${String(i)}, $${String(first + i + 1)}::varchar)`).join(", ");
  const rows = await warehouse.query({
    sql: `select i, (${problem}) as wrong from (values ${values}) t(i, a) order by i`,
    params: [...binder.params, ...addresses],
  });
  expect(rows.filter(({ wrong }) => typeof wrong !== "boolean")).toEqual([]);
  return addresses.filter((_, i) => rows[i]?.["wrong"] === true);
}

it("takes e-mail addresses that one person can have", async () => {
  expect(await refused("email", GOOD)).toEqual([]);
});

it("refuses null, blanks, lists, names, headers and what is no address", async () => {
  expect(await refused("email", BAD)).toEqual(BAD);
});

it("lets no address through that delivery would not take as a single one", () => {
  expect(GOOD.filter((address) => !isAddress(address.trim()))).toEqual([]);
});

it("asks of phone numbers and device tokens only that they are one word", async () => {
  const good = ["+41791234567", " +41791234567 ", "APA91bH:x-y_z,1", "ExponentPushToken[xyz]"];
  const bad = [null, "", " ", "+41 79 123 45 67", "token\ttwo", "token\r\n"];
  expect(await refused("phone", [...good, ...bad])).toEqual(bad);
  expect(await refused("device_token", [...good, ...bad])).toEqual(bad);
});
