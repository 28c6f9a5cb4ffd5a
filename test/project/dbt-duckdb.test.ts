import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { dbtDuckDbFile } from "../../src/project/written/dbt-duckdb.js";
import { projectFolder } from "./support.js";

const PROJECT = "name: shop\nprofile: shop\n";
const profile = (path: string, target = "dev"): string => `shop:\n  target: ${target}\n  outputs:\n    ${target}: {type: duckdb, path: ${path}}\n`;

it.each([
  ["of the profile beside the project, relative to it", { "dbt_project.yml": PROJECT, "profiles.yml": profile("data/shop.db") }, "data/shop.db"],
  ["of the profile's own target", { "dbt_project.yml": PROJECT, "profiles.yml": profile("a.duckdb", "ci") }, "a.duckdb"],
  ["of the profile, absolute", { "dbt_project.yml": PROJECT, "profiles.yml": profile("/srv/shop.duckdb") }, "/srv/shop.duckdb"],
  ["named by the database beside the project", { "dbt_project.yml": PROJECT, "shop.duckdb": "" }, "shop.duckdb"],
  ["named by the database, without any of dbt's files", { "shop.duckdb": "" }, "shop.duckdb"],
  [
    "named by the database, where the profile is made of Jinja",
    { "dbt_project.yml": PROJECT, "profiles.yml": profile(`"{{ env_var('X') }}"`), "shop.duckdb": "" },
    "shop.duckdb",
  ],
  ["that nothing tells", { "dbt_project.yml": PROJECT, "profiles.yml": "shop: [" }, null],
])("finds the file %s", (_, files, expected) => {
  const root = projectFolder({ "target/manifest.json": "{}", ...files });
  const found = dbtDuckDbFile(join(root, "target/manifest.json"), "shop", {});
  expect(found).toBe(expected === null ? null : expected.startsWith("/") ? expected : join(root, expected));
});

it("looks into DBT_PROFILES_DIR first", () => {
  const root = projectFolder({ "target/manifest.json": "{}", "dbt_project.yml": PROJECT, "profiles.yml": profile("wrong.duckdb") });
  const elsewhere = join(root, "profiles", "profiles.yml");
  mkdirSync(dirname(elsewhere));
  writeFileSync(elsewhere, profile("right.duckdb"));
  expect(dbtDuckDbFile(join(root, "target/manifest.json"), null, { DBT_PROFILES_DIR: dirname(elsewhere) })).toBe(join(root, "right.duckdb"));
});
