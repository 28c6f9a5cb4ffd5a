import { describe, expect, it } from "vitest";
import { canonicalAddress } from "../../src/warehouse/canonical.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import { idPairsStory } from "../support/id-pairs.js";
import { idsStory } from "../support/ids.js";
import { asSuperuser, createDatabase } from "../support/postgres.js";

describe("the one form of an id", () => {
  it.each(["duckdb", "postgres"] as const)("is the same for every kind of column, on %s", (on) => idsStory(on));

  it.each(["duckdb", "postgres"] as const)("excludes a user whatever the two types, or refuses them by name, on %s", (on) => idPairsStory(on));

  it("of an email is not the locale's: where a Turkish I has no dot, ADA.LI is ada.li", async () => {
    const { connection, drop } = await createDatabase();
    const turkish = `${connection.database ?? "test"}_tr`;
    const open = async (database: string | null): Promise<Awaited<ReturnType<typeof openPostgres>>> => openPostgres({ ...connection, database }, { root: "." });
    await asSuperuser(`create database ${turkish} template template0 locale_provider icu icu_locale 'tr-TR' locale 'C' encoding 'UTF8'`);
    const warehouse = await open(turkish);
    try {
      expect(await warehouse.query({ sql: "select lower('LI') as locales", params: [] })).toEqual([{ locales: "lı" }]);
      const form = canonicalAddress("cast('ADA.LI@Example.com' as text)", "email", warehouse.dialect);
      expect(
        await warehouse.query({ sql: `select ${form} as form, ${canonicalAddress("'ÄLI@x.de'", "email", warehouse.dialect)} as other`, params: [] }),
      ).toEqual([{ form: "ada.li@example.com", other: "äli@x.de" }]);
    } finally {
      await warehouse.close();
      await asSuperuser(`drop database ${turkish}`);
      await drop();
    }
  });
});
