/** What a repository needs beside a project: what `opportune init` writes where nothing of that name is. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { providerFor } from "../../delivery/providers/registry.js";
import { variablesIn } from "../../project/written/environment.js";
import { PROJECT_FILE } from "../../project/written/project-file.js";
import { VERSION } from "../../version.js";

const GITIGNORE = `# Opportune: artefacts, secrets and local warehouses
node_modules/
target/
.env
keys/
*.p8
*.duckdb
*.duckdb.wal
*.duckdb.tmp/
*.duckdb.opportune
`;

/** Which of them were not there before, as the user reads them. */
export interface Beside {
  /** Whether a package.json was written, so that `npm install` comes next. */
  packageJson: boolean;
  /** The workflow, relative to the project; null where there is one of that name. */
  workflow: string | null;
}

/** Writes them; a file that exists stays as it is. `warehouse`: commands of CI that make the DuckDB file of the project, if it has one. */
export function writeBeside(root: string, warehouse: readonly string[]): Beside {
  writeNew(join(root, ".gitignore"), GITIGNORE);
  writeNew(join(root, ".env.example"), environmentExample(root));
  const home = upward(root, "package.json");
  if (home === null) writeNew(join(root, "package.json"), packageJson(root));
  nameSchema(root, home ?? root);
  const repository = upward(root, ".git") ?? root;
  const workflow = join(repository, ".github/workflows/opportune.yml");
  const written = writeNew(workflow, workflowFile(relative(repository, root), relative(repository, home ?? root), warehouse, variablesOf(root)));
  return { packageJson: home === null, workflow: written ? relative(root, workflow) : null };
}

/** What opportune.yml takes from the environment, in order. */
export function variablesOf(root: string): string[] {
  const text = readFileSync(join(root, PROJECT_FILE), "utf8").replaceAll(/^\s*#.*$/gm, "");
  return variablesIn(text).sort();
}

function writeNew(file: string, content: string): boolean {
  if (existsSync(file)) return false;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return true;
}

/** The nearest folder from `root` upward that holds `name`; null for none. */
function upward(root: string, name: string): string | null {
  for (let folder = root; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (dirname(folder) === folder) return null;
  }
}

/** To be filled in. */
function environmentExample(root: string): string {
  const names = variablesOf(root);
  const examples = Object.entries(providerFor("email").example);
  const later = examples.map(([key, value]) => `# For a channel with \`${key}: ${value}\`:\n# ${value.slice(2, -1)}=`);
  const lines = (names.length === 0 ? later : names.map((name) => `${name}=`)).join("\n");
  return `# Copy to .env, which is never committed. Real environment variables go before it.\n${lines}\n`;
}

function packageJson(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  const content = {
    name: name === "" || name === "opportune" ? "messages" : name,
    private: true,
    scripts: { compile: "opportune compile", lint: "opportune lint", "dry-run": "opportune run --dry-run", start: "opportune start" },
    dependencies: { opportune: VERSION },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Has editors that speak YAML's language server complete and check opportune.yml, by the schema of the package. */
function nameSchema(root: string, home: string): void {
  const file = join(root, PROJECT_FILE);
  const schema = [...relative(root, home).split(/[\\/]/), "node_modules/opportune/docs/schemas/opportune.schema.json"].filter((part) => part !== "").join("/");
  writeFileSync(file, `# yaml-language-server: $schema=${schema.startsWith(".") ? schema : `./${schema}`}\n${readFileSync(file, "utf8")}`);
}

function workflowFile(folder: string, home: string, warehouse: readonly string[], variables: readonly string[]): string {
  const at = (path: string): string => path.split("\\").join("/");
  const folders = (path: string): string => (path === "" ? "" : `\n        working-directory: ${JSON.stringify(at(path))}`);
  const step = (command: string): string => `      - run: ${command}${folders(folder)}\n`;
  const secrets = variables.length === 0 ? "" : secretsBlock(variables);
  return `# Every pull request: the project compiles, lint finds nothing, and a dry run decides. Nothing is sent.
name: Opportune
on: pull_request
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
${secrets}    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: {node-version: 22}
      - run: npm install --no-audit --no-fund${folders(home)}
${warehouse.map(step).join("")}${["npx opportune compile", "npx opportune lint", "npx opportune run --dry-run"].map(step).join("")}`;
}

function secretsBlock(variables: readonly string[]): string {
  const lines = variables.map((name) => `    #   ${name}: \${{ secrets.${name} }}`).join("\n");
  return `    # Secrets of the repository: of a user that reads the tables, for a target that is not live.\n    # env:\n${lines}\n`;
}
