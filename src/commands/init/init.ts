import { WAREHOUSES } from "../../core/warehouses.js";
import { connectionName, installation, typeOf } from "../../project/targets/targets.js";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { instant } from "../../core/clock.js";
import { OpportuneError } from "../../core/errors.js";
import { dbtDuckDbFile } from "../../project/written/dbt-duckdb.js";
import { readDbtManifest, type DbtProject } from "../../project/written/dbt-manifest.js";
import { loadProject } from "../../project/build/load.js";
import { PROJECT_FILE } from "../../project/written/project-file.js";
import { counted } from "../../report/tables.js";
import { variablesOf, writeBeside, type Beside } from "./repository.js";
import { copyShipped, createSample, SHIPPED } from "../shared/sample.js";
import { starterFiles, type Starter } from "./starter.js";
import type { GlobalOptions, Terminal } from "../shared/terminal.js";

export interface InitOptions extends GlobalOptions {
  warehouse?: Starter["warehouse"];
  path?: string;
  fromDbt?: string;
}

/** Begins a project: for a warehouse of one's own where one is named, else the shipped example with a sample warehouse. */
export async function initCommand(terminal: Terminal, options: InitOptions, [dir = "."]: readonly string[]): Promise<number> {
  const root = resolve(dir);
  const own = options.warehouse !== undefined || options.fromDbt !== undefined;
  if (!own && options.path !== undefined) throw usage("--path is for a warehouse of your own.", "Add `--warehouse duckdb`.");
  refuseExisting(root, own ? SHIPPED : [...SHIPPED, "shop.duckdb"]);
  terminal.out(own ? initOwn(root, options) : await initExample(root));
  return 0;
}

/** The shipped example, a sample warehouse to run it on, and what a repository needs. */
async function initExample(root: string): Promise<string> {
  mkdirSync(root, { recursive: true });
  copyShipped(root);
  // CI has no sample warehouse: another project of the same kind has.
  const beside = writeBeside(root, ['npx opportune init "$RUNNER_TEMP/sample"', 'cp "$RUNNER_TEMP/sample/shop.duckdb" .']);
  const project = loadProject(root);
  await createSample(project, instant(Math.floor(Date.now() / 1000) * 1000));
  const [segment] = project.segments.keys();
  const began = readdirSync(join(root, "segments")).filter((file) => file.endsWith(".sql")).length;
  return `Began the project ${project.name} in ${folderName(root)}: ${String(began)} segments, their templates, and a sample warehouse (${connectionName(project.target.connection)}) with the ledger in it.${told(beside)}

${steps(root, [
  ...(beside.packageJson ? [INSTALL] : []),
  [called("run --dry-run"), "who would hear from us now, and who not and why"],
  [called(`preview ${segment ?? "SEGMENT"}`), "one message, as it would be sent"],
  [called("run"), `decide, send to the ${project.target.live ? "channels" : "outbox or sandbox"}, and keep the ledger`],
])}`;
}

/** One example, and dbt's tables if a manifest is named; the warehouse is neither read nor written. */
function initOwn(root: string, options: InitOptions): string {
  const dbt = options.fromDbt === undefined ? null : dbtProject(options.fromDbt);
  const warehouse = warehouseOf(options, dbt);
  if (warehouse !== "duckdb" && options.path !== undefined)
    throw usage("--path is the file of a DuckDB warehouse.", "Leave it out, or say `--warehouse duckdb`.");
  const found = options.path ?? (options.fromDbt === undefined || warehouse !== "duckdb" ? null : dbtDuckDbFile(options.fromDbt, dbt?.database ?? null));
  const path = found === null ? `${dbt?.database ?? "warehouse"}.duckdb` : relative(root, resolve(found));
  const starter: Starter = { name: dbt?.name ?? basename(root), warehouse, path, database: dbt?.database ?? null, sources: dbt?.sources ?? new Map() };
  for (const [file, content] of Object.entries(starterFiles(starter))) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), content);
  }
  copyShipped(root, ["templates/layouts", "templates/partials"]);
  const beside = writeBeside(root, warehouse === "duckdb" ? emptyWarehouse(path) : []);
  const tables =
    dbt === null
      ? "Name your tables under `sources` in opportune.yml"
      : `${counted(dbt.sources.size, "table")} of dbt's stand under \`sources\` in opportune.yml`;
  return `Began the project ${starter.name} in ${folderName(root)}: one example segment with its audiences and template. ${tables}.
It has no ledger yet; \`${called("ledger install")}\` makes one, in the schema opportune of your warehouse.${told(beside)}

${steps(root, [
  ...(beside.packageJson ? [INSTALL] : []),
  ...preparation(root, warehouse),
  [called("ledger install"), "tables for what is decided and sent"],
  [called("debug"), "can everything be reached that a run needs"],
  [called("run --dry-run"), "who would hear from us now, and who not and why"],
])}`;
}

/** CI's stand-in for a file that is not in the repository: enough for the example, which reads no table. */
function emptyWarehouse(path: string): string[] {
  const script = `require('@duckdb/node-api').DuckDBInstance.create(${JSON.stringify(path).replaceAll('"', "'")})`;
  return [`node -e "${script}" # in its place what builds your tables, such as dbt build`, "npx opportune ledger install"];
}

/** The driver that Opportune doesn't bring, and the variables that opportune.yml takes. */
function preparation(root: string, warehouse: Starter["warehouse"]): (readonly [string, string])[] {
  const driver = typeOf(warehouse).comeAlong ? [] : [[installation(warehouse), "its client"] as const];
  const [first, ...more] = variablesOf(root);
  if (first === undefined) return driver;
  const [what, them] = more.length === 0 ? [first, "it"] : [`the ${String(more.length + 1)} variables`, "them"];
  return [...driver, ["cp .env.example .env", `then write ${what} into it, unless the environment has ${them}`]];
}

function dbtProject(file: string): DbtProject {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const message = `${file} can't be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new OpportuneError({ code: "init/dbt-manifest", message, hint: "Run `dbt parse` in the dbt project and name its target/manifest.json." }, 2, error);
  }
  return readDbtManifest(file, text);
}

function warehouseOf({ warehouse, fromDbt }: InitOptions, dbt: DbtProject | null): Starter["warehouse"] {
  const adapter = dbt?.adapter ?? warehouse;
  if (adapter === undefined) throw usage(`${String(fromDbt)} doesn't say which warehouse it is for.`, `Add --warehouse with one of ${WAREHOUSES.join(", ")}.`);
  if (warehouse !== undefined && adapter !== warehouse)
    throw usage(`${String(fromDbt)} is for ${adapter}, not ${warehouse}.`, "Leave --warehouse out, or make the manifest with the dbt target that is meant.");
  const known = WAREHOUSES.find((name) => name === adapter);
  if (known !== undefined) return known;
  throw usage(`${String(fromDbt)} is for ${adapter}; Opportune works with ${WAREHOUSES.join(", ")}.`, "Make the manifest with a dbt target of one of these.");
}

function usage(message: string, hint: string): OpportuneError {
  return new OpportuneError({ code: "init/usage", message, hint }, 2);
}

function refuseExisting(root: string, files: readonly string[]): void {
  const name = relative(process.cwd(), root) || "This folder";
  const inTheWay = files.filter((file) => existsSync(join(root, file)));
  if (inTheWay.length === 0) return;
  const message = inTheWay.includes(PROJECT_FILE)
    ? `${name} has a project already: ${PROJECT_FILE} exists.`
    : `${name} holds ${inTheWay.join(", ")} already, and init overwrites nothing.`;
  throw new OpportuneError({ code: "init/exists", message, hint: "Nothing was changed. Name another folder: `opportune init DIR`." }, 2);
}

function folderName(root: string): string {
  return relative(process.cwd(), root) || "this folder";
}

/** The command as it was called: with npx, where npm runs it, as the command alone may not be found then. */
function called(command: string): string {
  return `${["exec", "run-script", "run"].includes(process.env["npm_command"] ?? "") ? "npx " : ""}opportune ${command}`;
}

/** Commands with what each is for, one a line. */
function steps(root: string, lines: readonly (readonly [command: string, what: string])[]): string {
  const away = relative(process.cwd(), root);
  return ["Next:", ...(away === "" ? [] : [`  cd ${away}`]), ...lines.map(([command, what]) => `  ${command.padEnd(36)}  ${what}`)].join("\n");
}

/** What was written beside the project that somebody should know of. */
function told({ workflow }: Beside): string {
  return workflow === null ? "" : `\n${workflow} checks each pull request on GitHub: compile, lint, dry run.`;
}

const INSTALL = ["npm install", "Opportune, as package.json names it"] as const;
