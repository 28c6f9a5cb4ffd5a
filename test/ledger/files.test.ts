/** What a ledger was made with stays as it is: a file that a ledger has had is never changed, another is added. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { LEDGER_FILES } from "./support.js";

/** SHA-256 of each file under sql/ledger/. */
const HASHES: Readonly<Record<string, string>> = {
  "001_ledger.sql": "cbdae2bd9c2b35b50a28299a2d6543480715f27c06fb21f66bb0f5688f125ef7",
  "002_indexes.sql": "dd0eef8150b9f3d33cf3080be8e6be4380bb3b06a6a181f718b2898a0f0d97da",
  "003_guards.sql": "bc8e123bb90c024e189a23449bafe57c400337311a0b6c3f100e9eeb7d58004b",
  "004_columns.sql": "36c61f886b4adcb2b0bececd2c8650cd3db80942396b1652a7ef8775d5b7ccd5",
  "005_one_form.sql": "227af5b6b3432c84d2ad9904a38304d767b7dacac2d00438623cea67cf8d0dfc",
  "006_alerts.sql": "17c66391c1207cfe7c7f7d7988b670fca273d5689a542b7ed9e09c4284f2ded7",
};

it("the files of the ledger are those that were released", () => {
  const hashes = LEDGER_FILES.map((file) => [
    file,
    createHash("sha256")
      .update(readFileSync(new URL(`../../sql/ledger/${file}`, import.meta.url)))
      .digest("hex"),
  ]);
  expect(Object.fromEntries(hashes)).toEqual(HASHES);
});
