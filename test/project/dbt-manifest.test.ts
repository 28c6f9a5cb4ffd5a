import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OpportuneError } from "../../src/core/errors.js";
import { readDbtManifest } from "../../src/project/written/dbt-manifest.js";

/** Written by dbt 1.11 with dbt-duckdb for test/dbt/project: `UPDATE_DUMP=1 npm run test:dbt`. */
const WRITTEN = readFileSync(join(import.meta.dirname, "../data/dbt-manifest.json"), "utf8");

interface Manifest {
  metadata: Record<string, unknown>;
  nodes: Record<string, Record<string, unknown>>;
  sources: Record<string, Record<string, unknown>>;
}

/** The written manifest after an edit. */
function edited(change: (manifest: Manifest) => void): string {
  const manifest = JSON.parse(WRITTEN) as Manifest;
  change(manifest);
  return JSON.stringify(manifest);
}

function sourcesOf(text: string): Record<string, unknown> {
  return Object.fromEntries(readDbtManifest("target/manifest.json", text).sources);
}

function refusal(text: string): string {
  try {
    readDbtManifest("target/manifest.json", text);
  } catch (error) {
    if (error instanceof OpportuneError && error.exitCode === 2) return error.message;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("a manifest as dbt writes it", () => {
  it("gives every table with its relation and freshness, and no ephemeral or disabled model", () => {
    const { name, adapter, database } = readDbtManifest("manifest.json", WRITTEN);
    expect({ name, adapter, database }).toEqual({ name: "paper_shop", adapter: "duckdb", database: "warehouse" });
    expect(sourcesOf(WRITTEN)).toEqual({
      // Models keep their names, an alias is the table's; of the versions the latest is `plans`.
      orders: '"analytics"."orders"',
      plans: '"analytics"."plans_v2"',
      users: '"analytics"."user_profiles"',
      plans_v1: '"analytics"."plans_v1"',
      users_history: '"analytics"."users_history"',
      countries: '"analytics"."countries"',
      // Taken by models: dbt's source stands before them.
      crm_orders: '"raw_crm"."orders"',
      crm_users: { table: '"raw_crm"."users"', loaded_at: "cast(synced_at as timestamp)", stale_after: "48 hours" },
      // No name of ours in dbt: `Order-Items`, without freshness.
      order_items: { table: '"raw"."order_items"', loaded_at: "loaded_at" },
      // error_after before warn_after.
      shop_orders: { table: '"raw"."orders"', loaded_at: "loaded_at", stale_after: "6 hours" },
    });
  });

  it("of v1: without relation names, versions and adapter", () => {
    const old = edited((manifest) => {
      manifest.metadata = { dbt_schema_version: "https://schemas.getdbt.com/dbt/manifest/v1.json", dbt_version: "0.19.0" };
      for (const each of [...Object.values(manifest.nodes), ...Object.values(manifest.sources)])
        for (const key of ["relation_name", "version", "latest_version"]) Reflect.deleteProperty(each, key);
    });
    expect(readDbtManifest("manifest.json", old)).toMatchObject({ name: null, adapter: null });
    // Of two models of one name the second has its package before it.
    const expected = sourcesOf(WRITTEN);
    expect(sourcesOf(old)).toMatchObject({
      users: expected["users"],
      crm_users: expected["crm_users"],
      plans: '"analytics"."plans_v1"',
      paper_shop_plans: '"analytics"."plans_v2"',
    });
  });
});

describe("names", () => {
  const model = (manifest: Manifest, id: string, more: Record<string, unknown>): void => {
    manifest.nodes[id] = { ...manifest.nodes["model.paper_shop.orders"], unique_id: id, ...more };
  };

  it("the project's own models go before a package's, and those before sources", () => {
    const text = edited((manifest) => {
      model(manifest, "model.a_package.orders", { package_name: "a_package", relation_name: '"warehouse"."a"."orders"' });
      model(manifest, "model.a_package.users_history", { package_name: "a_package", name: "users_history", relation_name: '"warehouse"."a"."users_history"' });
    });
    expect(sourcesOf(text)).toMatchObject({
      orders: '"analytics"."orders"',
      a_package_orders: '"a"."orders"',
      users_history: '"analytics"."users_history"',
      a_package_users_history: '"a"."users_history"',
      crm_orders: '"raw_crm"."orders"',
    });
  });

  it("are numbered where the longer one is taken too, and mended where ours allow less", () => {
    const text = edited((manifest) => {
      model(manifest, "model.paper_shop.shop_orders", { name: "shop_orders", relation_name: '"warehouse"."analytics"."shop_orders"' });
      model(manifest, "model.paper_shop.Überblick 2024", { name: "2024 Überblick", relation_name: '"warehouse"."analytics"."2024 Überblick"' });
    });
    expect(sourcesOf(text)).toMatchObject({
      shop_orders: '"analytics"."shop_orders"',
      shop_orders_2: expect.objectContaining({ table: '"raw"."orders"' }) as unknown,
    });
    expect(Object.entries(sourcesOf(text))).toContainEqual(["t_2024_berblick", '"analytics"."2024 Überblick"']);
  });
});

describe("relations", () => {
  it("keep a database that is not the target's, and quotes as dbt writes them", () => {
    const text = edited((manifest) => {
      Object.assign(manifest.sources["source.paper_shop.crm.orders"] ?? {}, { database: "crm", relation_name: '"crm"."public"."orders"' });
      Object.assign(manifest.sources["source.paper_shop.shop.orders"] ?? {}, { relation_name: "warehouse.raw.orders" });
    });
    expect(sourcesOf(text)).toMatchObject({ crm_orders: '"crm"."public"."orders"', shop_orders: { table: "raw.orders" } });
  });

  it("double the quotes of a name that has some", () => {
    const text = edited((manifest) => {
      Object.assign(manifest.sources["source.paper_shop.crm.orders"] ?? {}, { relation_name: null, identifier: 'or"ders' });
    });
    expect(sourcesOf(text)).toMatchObject({ crm_orders: '"raw_crm"."or""ders"' });
  });
});

describe("is refused, with the way out:", () => {
  it.each([
    ["text that is no JSON", "name: x", /^target\/manifest\.json is not JSON: .*\n {4}Name the manifest\.json that `dbt parse`/s],
    [
      "another artefact",
      '{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"}, "nodes": {}, "sources": {}}',
      /is no manifest of dbt's, but https:.*catalog\/v1\.json/,
    ],
    ["any other JSON", '{"name": "x"}', /is no manifest of dbt's: metadata: /],
    ["a project without tables", edited((manifest) => Object.assign(manifest, { nodes: {}, sources: {} })), /holds neither a model nor a source\./],
    [
      "a node without a schema",
      edited((manifest) => Reflect.deleteProperty(manifest.nodes["model.paper_shop.users"] ?? {}, "schema")),
      /\(https:.*v12\.json\) holds something unexpected: nodes → model\.paper_shop\.users → schema: /,
    ],
  ])("%s", (_, text, expected) => {
    expect(refusal(text)).toMatch(expected);
  });
});
