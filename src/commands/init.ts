import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { instant } from "../core/clock.js";
import { OpportuneError } from "../core/errors.js";
import { loadProject } from "../project/load.js";
import { PROJECT_FILE } from "../project/project-file.js";
import { connectionName } from "../warehouse/open.js";
import { copyShipped, createSample, SHIPPED } from "./sample.js";
import type { GlobalOptions, Terminal } from "./terminal.js";

const GITIGNORE = `# Opportune: artefacts, secrets and the sample warehouse
target/
.env
*.duckdb
*.duckdb.wal
`;

/** Begins a project: the shipped example, a sample warehouse to run it on, and what a repository needs. */
export async function initCommand(terminal: Terminal, _options: GlobalOptions, [dir = "."]: readonly string[]): Promise<number> {
  const root = resolve(dir);
  refuseExisting(root);
  mkdirSync(root, { recursive: true });
  copyShipped(root);
  writeNew(join(root, ".gitignore"), GITIGNORE);
  writeNew(join(root, ".env.example"), environmentExample(root));
  const project = loadProject(root);
  await createSample(project, instant(Math.floor(Date.now() / 1000) * 1000));
  const [segment] = project.segments.keys();
  const away = relative(process.cwd(), root);
  const began = readdirSync(join(root, "segments")).filter((file) => file.endsWith(".sql")).length;
  terminal.out(`Began the project ${project.name} in ${away === "" ? "this folder" : away}: ${String(began)} segments, their templates, and a sample warehouse (${connectionName(project.target.connection)}) with the ledger in it.

Next:${away === "" ? "" : `\n  cd ${away}`}
  opportune run --dry-run               who would hear from us now, and who not and why
  opportune preview ${(segment ?? "SEGMENT").padEnd(20)}one message, as it would be sent
  opportune run                         decide, send to the ${project.target.live ? "channels" : "outbox or sandbox"}, and keep the ledger`);
  return 0;
}

function refuseExisting(root: string): void {
  const name = relative(process.cwd(), root) || "This folder";
  if (existsSync(join(root, PROJECT_FILE))) {
    throw new OpportuneError(
      {
        code: "init/exists",
        message: `${name} has a project already: ${PROJECT_FILE} exists.`,
        hint: "Nothing was changed. Name another folder: `opportune init DIR`.",
      },
      2,
    );
  }
  const inTheWay = [...SHIPPED, "shop.duckdb"].filter((file) => existsSync(join(root, file)));
  if (inTheWay.length === 0) return;
  throw new OpportuneError(
    {
      code: "init/exists",
      message: `${name} holds ${inTheWay.join(", ")} already, and init overwrites nothing.`,
      hint: "Nothing was changed. Name another folder: `opportune init DIR`.",
    },
    2,
  );
}

/** Leaves a file that exists as it is. */
function writeNew(path: string, content: string): void {
  if (!existsSync(path)) writeFileSync(path, content);
}

/** Every variable that opportune.yml takes from the environment, to be filled in. */
function environmentExample(root: string): string {
  const names = [...new Set([...readFileSync(join(root, PROJECT_FILE), "utf8").matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => name))].sort();
  return `# Copy to .env, which is never committed. Real environment variables go before it.\n${names.length === 0 ? "# For a channel with `api_key: ${SENDGRID_API_KEY}`:\n# SENDGRID_API_KEY=" : names.map((name) => `${name}=`).join("\n")}\n`;
}
