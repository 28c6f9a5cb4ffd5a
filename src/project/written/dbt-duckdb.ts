/** Where the DuckDB file of a dbt project is, by dbt's own files. */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { parse } from "yaml";
import { valueAt } from "../schema/problems.js";

/**
 * The file that dbt writes to, absolute: as the profile of the project that the manifest belongs to says (`path`, relative to the
 * dbt project), else a file named by the database beside the project. Null where neither tells; a profile that is made of Jinja
 * does not.
 */
export function dbtDuckDbFile(manifest: string, database: string | null, env: NodeJS.ProcessEnv = process.env): string | null {
  const project = projectFolder(resolve(manifest));
  const profile = valueAt(yamlIn(join(project, "dbt_project.yml")), ["profile"]);
  const folders = [env["DBT_PROFILES_DIR"], project, join(homedir(), ".dbt")].filter((folder) => folder !== undefined);
  for (const profiles of folders) {
    if (typeof profile !== "string") break;
    const written = valueAt(yamlIn(join(profiles, "profiles.yml")), [profile]);
    const target = valueAt(written, ["target"]);
    const path = valueAt(written, ["outputs", typeof target === "string" ? target : "default", "path"]);
    if (typeof path === "string" && !path.includes("{{") && path !== ":memory:") return isAbsolute(path) ? path : join(project, path);
  }
  const beside =
    database === null ? [] : [join(project, `${database}.duckdb`), join(project, `${database}.db`), join(dirname(resolve(manifest)), `${database}.duckdb`)];
  return beside.find((file) => existsSync(file)) ?? null;
}

/** The nearest folder upward with a dbt_project.yml; where there is none, the one that holds target/. */
function projectFolder(manifest: string): string {
  for (let folder = dirname(manifest); dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, "dbt_project.yml"))) return folder;
  }
  return dirname(dirname(manifest));
}

/** What a YAML file of dbt's holds; null where it is missing or is no YAML before Jinja has filled it in. */
function yamlIn(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"), { logLevel: "silent" });
  } catch {
    return null;
  }
}
