/** Writes target/opportune/. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { instant } from "../../core/clock.js";
import { providerKind } from "../../delivery/providers/registry.js";
import { readEnvironment, variablesIn } from "../../project/written/environment.js";
import { PROJECT_FILE } from "../../project/written/project-file.js";
import { readText } from "../../project/written/text.js";
import type { Project, Segment } from "../../project/types.js";
import { compiledSql, manifestDocument, type Secrets } from "../../report/artefacts.js";
import { VERSION } from "../../version.js";
import { withoutOpening } from "../../warehouse/dialect.js";
import type { Statement } from "../../warehouse/types.js";
import type { Terminal } from "./terminal.js";

/** Relative to the project. */
export const ARTEFACTS = "target/opportune";

export interface Artefacts {
  /** Writes `compiled/<name>.sql`, to be called with the statements before they run; `secrets` are left out. */
  statement(name: string, statements: readonly Statement[], secrets: readonly string[]): void;
  /** Writes a JSON document beside the manifest. */
  document(file: string, content: unknown): void;
  /** Files of compiled SQL written so far, relative to the project. */
  readonly written: readonly string[];
}

export interface ArtefactOptions {
  /** ISO 8601 UTC. */
  asOf: string;
  segments: readonly Segment[];
  /** Said at the top of arbitrate.sql. */
  note?: string;
}

/** Begins the artefacts of one command: writes the manifest and forgets the SQL compiled before. */
export function beginArtefacts(project: Project, options: ArtefactOptions): Artefacts {
  const folder = join(project.root, ARTEFACTS);
  const known = secretsOf(project);
  const written: string[] = [];
  const write = (file: string, content: string): void => {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  const document = (file: string, content: unknown): void => write(file, `${JSON.stringify(content, null, 2)}\n`);
  rmSync(join(folder, "compiled"), { recursive: true, force: true });
  document("manifest.json", manifestDocument(project, { version: VERSION, generatedAt: instant(Date.now()), segments: options.segments }));
  return {
    document,
    written,
    statement(name, statements, hidden) {
      const secrets = new Map([...known, ...hidden.map((value) => [value, "secret of the ledger"] as const)]);
      write(
        `compiled/${name}.sql`,
        compiledSql(name, statements.map(shown), {
          asOf: options.asOf,
          secrets,
          ...(name === "arbitrate" && options.note !== undefined ? { note: options.note } : {}),
        }),
      );
      written.push(`${ARTEFACTS}/compiled/${name}.sql`);
    },
  };
}

/** The same each time. */
function shown({ afterPages, ...statement }: Statement): Statement {
  const same = (one: Statement): Statement => ({ ...one, sql: withoutOpening(one.sql) });
  return { ...same(statement), ...(afterPages === undefined ? {} : { afterPages: same(afterPages) }) };
}

/** The artefacts of a command that goes on without them: says once why a file can't be written, and writes no further one. */
export function dispensable(begin: () => Artefacts, terminal: Pick<Terminal, "warn">): Artefacts {
  let artefacts: Artefacts | null = null;
  const attempt = (write: () => void): void => {
    try {
      write();
    } catch (error) {
      if (!(error instanceof Error && "errno" in error && "code" in error)) throw error;
      artefacts = null;
      terminal.warn(`${ARTEFACTS} can't be written (${String(error.code)}): the run goes on without it.`);
    }
  };
  attempt(() => (artefacts = begin()));
  return {
    statement: (...statement) => attempt(() => artefacts?.statement(...statement)),
    document: (...document) => attempt(() => artefacts?.document(...document)),
    get written() {
      return artefacts?.written ?? [];
    },
  };
}

/** Keys, and whatever opportune.yml takes from the environment: by value, with what may be shown. */
function secretsOf(project: Project): Secrets {
  const secrets = new Map<string, string>();
  const { env } = readEnvironment(project.root, process.env);
  for (const name of variablesIn(readText(project.root, PROJECT_FILE).text)) {
    const value = env[name];
    if (value !== undefined && value !== "") secrets.set(value, `\${${name}}`);
  }
  // A schema's or table's name from the environment is no secret, and the SQL is to be the one that runs.
  const inSql = [...project.sources.values()].flatMap(({ table, loadedAt }) => [table, loadedAt ?? ""]);
  for (const value of secrets.keys()) if (inSql.some((text) => text.includes(value))) secrets.delete(value);
  for (const { name, provider, settings } of project.channels.values()) {
    for (const [key, value] of Object.entries(providerKind(provider).secrets(settings))) secrets.set(value, `${key} of ${name}`);
  }
  if (project.links.unsubscribeSecret !== null) secrets.set(project.links.unsubscribeSecret, "unsubscribe_secret");
  return secrets;
}
