/** What a warehouse or a provider quotes of people's data reaches nothing that is printed, stored or told. */
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import pc from "picocolors";
import { describe, expect, it, onTestFinished } from "vitest";
import { problemsOf } from "../../src/core/errors.js";
import { errorLines } from "../../src/report/error-lines.js";
import { Shop, T0 } from "../support/run-shop.js";

const LEAKS = /\bada\b|lovelace|1234567/i;

/** The text of every table of the ledger that an error can reach, and of every file but the warehouse's own. */
async function everything(shop: Shop): Promise<string> {
  const columns: [string, string][] = [
    ["runs", "error"],
    ["segment_runs", "error"],
    ["sent_ledger", "detail"],
    ["alerts", "content"],
    ["pauses", "note"],
  ];
  const rows = [];
  for (const [table, column] of columns) rows.push(...(await shop.rows(`select ${column} as told from opportune.${table}`)));
  const files = shop.files().filter((file) => !/shop\.duckdb|\.opportune$|segments\/|outbox/.test(file));
  return [...rows.map(({ told }) => String(told)), ...files.map((file) => readFileSync(join(shop.root, file), "utf8"))].join("\n");
}

/** What a query says itself of a row, and regular expressions that a row brings. */
const FREE_TEXT: Readonly<Record<"duckdb" | "postgres", readonly [string, string, RegExp][]>> = {
  duckdb: [
    ["an error of the query's own", "error(concat(name, ' has no total'))", /Invalid Input Error: \[value\] has no total/],
    ["a regular expression", "regexp_matches('x', concat(name, ' ('))", /Invalid Input Error: missing \): \[value\]/],
  ],
  postgres: [["an error of the query's own", "public.refuse(name)", /user \[value\] has no total/]],
};

const REFUSE = `create function public.refuse(name text) returns int language plpgsql as $$ begin raise exception 'user % Lovelace has no total', name; end $$`;

describe.each(["duckdb", "postgres"] as const)("on %s", (on) => {
  it.each([
    ["a cast of an address", "cast(email as double precision)", /to DOUBLE|double precision/],
    ["a cast of a name", "cast(name || ' Lovelace' as integer)", /INT32|integer/],
    ["a cast of a phone number", "cast('+49 170 1234567' || name as integer)", /INT32|integer/],
    ...FREE_TEXT[on],
  ])("%s", async (_, expression, kept) => {
    const shop = await Shop.sending(["ada"], { on });
    if (expression.includes("refuse")) await shop.execute(REFUSE);
    shop.edit("segments/cart.sql", "name, total", `name, ${expression} as total`);
    let told = "";
    try {
      const result = await shop.run(T0, { target: "prod" });
      told = JSON.stringify(result);
    } catch (error) {
      told = [...errorLines(error, true, pc.createColors(false)), ...problemsOf(error).map(({ message }) => message)].join("\n");
    }
    const stored = await everything(shop);
    expect(told + stored).toMatch(kept);
    expect(told + stored).toMatch(/\[value\]|\[address\]/);
    expect(stored.match(LEAKS)).toBeNull();
    expect(told.match(LEAKS)).toBeNull();
  });
});

it("a provider's answer that quotes other people's addresses", async () => {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ errors: [{ message: "ada.lovelace@example.org and +49 170 1234567 are not allowed", field: "reply_to" }] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve(undefined))));
  const shop = await Shop.sending(["u1"], { endpoint: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` });
  await shop.run(T0, { target: "prod" });
  const stored = await everything(shop);
  expect(stored).toContain("[address] and [address] are not allowed");
  expect(stored).not.toMatch(LEAKS);
});
