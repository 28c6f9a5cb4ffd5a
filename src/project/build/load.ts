/** Reads and checks everything that the user wrote. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { OpportuneError, type Problem } from "../../core/errors.js";
import { buildAudience, buildChannel, buildLinks, buildPolicy, buildSegment, buildSource, buildTarget } from "./build.js";
import { circularAudiences, type AudienceFiles } from "../written/build-on.js";
import { fillIn, readEnvironment } from "../written/environment.js";
import { listFiles } from "../written/files.js";
import { idleProjectSettings, idleSegmentSettings } from "./idle-settings.js";
import { buildSilences } from "../schema/lint-rules.js";
import { readAudiences, readSegments } from "../written/front-matter.js";
import { valueAt } from "../schema/problems.js";
import { checkProjectFile, keysAt, PROJECT_FILE } from "../written/project-file.js";
import { checkReferences, PROJECT_REFERENCES, referredTo, SEGMENT_REFERENCES, type Known } from "../schema/references.js";
import { inSentences } from "../schema/sentences.js";
import { checkSql } from "../written/sql-references.js";
import { readText } from "../written/text.js";
import type { Project } from "../types.js";
import { buildVars } from "./vars.js";
import { parseYaml, type YamlSource } from "../written/yaml-source.js";

/**
 * The project in folder `root`, valid throughout. `target` is the one asked for on the command line; `env` (by default the
 * process's) wins over the project's `.env`. Throws an OpportuneError with exit code 2 that holds every problem of every
 * file, in the order of files, lines and columns. `brokenAlone`: a source, var or audience in one file that isn't there, and
 * braces that can't be read, become that file's `mistakes` instead, so that the others run.
 */
export function loadProject(root: string, options: { target?: string | undefined; env?: NodeJS.ProcessEnv | undefined; brokenAlone?: boolean } = {}): Project {
  const folder = resolve(root);
  if (!existsSync(join(folder, PROJECT_FILE))) {
    const message = `There is no ${PROJECT_FILE} in ${root}.`;
    throw new OpportuneError({ code: "project/missing", message, hint: "Begin one with `opportune init`, or name its folder." }, 2);
  }
  const { text, problems: unreadable } = readText(folder, PROJECT_FILE);
  const { source, problems: broken } = unreadable.length > 0 ? { source: null, problems: unreadable } : parseYaml(PROJECT_FILE, text);
  const sql = listFiles(folder, "segments", ".sql");
  const templates = listFiles(folder, "templates", ".hbs");
  const segments = readSegments(folder, sql.files);
  const audiences = readAudiences(folder, sql.files);
  const environment = readEnvironment(folder, options.env ?? process.env);
  const filled = fillIn(source?.value ?? {}, environment.env);

  const known: Known = {
    audience: audiences.items.map(({ name }) => name),
    channel: keysAt(source, filled.value, "channels"),
    template: templates.files.map((file) => file.slice("templates/".length, -".hbs".length)).filter((name) => !/^(?:partials|layouts)\//.test(name)),
    topic: topicsOf(segments.items.map(({ source }) => source)),
  };
  const usedChannels = segments.items.flatMap(({ source }) => referredTo("channel", source?.value, SEGMENT_REFERENCES));
  const sqlNames = { source: keysAt(source, filled.value, "sources"), var: keysAt(source, filled.value, "vars"), audience: known.audience };
  const audienceFiles: AudienceFiles = new Map(audiences.items.map(({ name, file }) => [name, file]));

  const main = source === null ? null : checkProjectFile(source, filled, options.target, usedChannels);
  const sqlFiles = [...segments.items, ...audiences.items];
  const pointing = segments.items.flatMap(({ source }) => (source === null ? [] : checkReferences(source, source.value, SEGMENT_REFERENCES, known)));
  const ownMistakes = [...pointing.filter(({ code }) => code === "config/unknown-audience"), ...sqlFiles.flatMap(({ file }) => checkSql(file, sqlNames))];
  const problems = [
    ...broken,
    ...environment.problems,
    ...(main?.problems ?? []),
    ...sql.problems,
    ...templates.problems,
    ...segments.problems,
    ...audiences.problems,
    ...(source === null ? [] : checkReferences(source, filled.value, PROJECT_REFERENCES, known)),
    ...pointing.filter(({ code }) => code !== "config/unknown-audience"),
    ...circularAudiences(audienceFiles),
  ];
  const data = main?.data ?? null;
  const target = main?.target === undefined ? undefined : data?.targets[main.target];
  const refused = problems.length > 0 || (ownMistakes.length > 0 && options.brokenAlone !== true);
  if (refused || source === null || data === null || main?.target === undefined || target === undefined) {
    throw new OpportuneError([...problems, ...ownMistakes].sort(byPlace).map(inSentences), 2);
  }
  const beside = { audiences: audienceFiles, mistakes: byFile(ownMistakes.map(inSentences)) };
  return {
    root: folder,
    name: data.name,
    target: buildTarget(main.target, target, data.interval),
    anyLive: (keysAt(source, filled.value, "targets") ?? []).some((name) => valueAt(filled.value, ["targets", name, "live"]) === true),
    channels: mapOf(data.channels, buildChannel),
    policy: buildPolicy(data),
    sources: mapOf(data.sources, (name, entry) => buildSource(name, entry, source)),
    vars: buildVars(data.vars, source),
    intervalSeconds: data.interval,
    idle: [
      ...idleProjectSettings(data, source),
      ...segments.items.flatMap((item) => (item.data === null || item.source === null ? [] : idleSegmentSettings(item.data, item.source, data.targets))),
    ],
    links: buildLinks(data.links),
    lint: buildSilences(data.lint, source),
    segments: inOrder(
      segments.items.flatMap(({ name, file, source, data }) =>
        data === null || source === null ? [] : [[name, buildSegment(name, file, beside, data, source)]],
      ),
    ),
    audiences: inOrder(audiences.items.flatMap(({ name, file, data }) => (data === null ? [] : [[name, buildAudience(name, file, beside, data)]]))),
  };
}

/** The topics that segments name; null where one of them can't be read. */
function topicsOf(sources: readonly (YamlSource | null)[]): string[] | null {
  if (sources.includes(null)) return null;
  return sources.map((source) => valueAt(source?.value, ["topic"])).filter((topic) => typeof topic === "string");
}

function mapOf<T, U>(entries: Readonly<Record<string, T>>, build: (name: string, entry: T) => U): Map<string, U> {
  return new Map(Object.entries(entries).map(([name, entry]) => [name, build(name, entry)]));
}

function inOrder<T>(entries: [string, T][]): Map<string, T> {
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function byFile(problems: readonly Problem[]): Map<string, readonly Problem[]> {
  const files = new Map<string, readonly Problem[]>();
  for (const problem of [...problems].sort(byPlace)) files.set(problem.file ?? "", [...(files.get(problem.file ?? "") ?? []), problem]);
  return files;
}

function byPlace(a: Problem, b: Problem): number {
  const first = (problem: Problem): string => (problem.file === PROJECT_FILE ? "" : (problem.file ?? ""));
  if (first(a) !== first(b)) return first(a) < first(b) ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
