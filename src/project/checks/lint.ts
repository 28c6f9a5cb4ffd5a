/** Reads a project as a colleague with experience would: nothing here is wrong to run, and most of it is unwise. */
import { channelKind, type ChannelType } from "../../channels/registry.js";
import type { ChannelKind } from "../../channels/types.js";
import { leaves } from "../../delivery/providers/registry.js";
import { readText } from "../written/text.js";
import { PROJECT_FILE } from "../written/project-file.js";
import type { LintRule, Silences } from "../schema/lint-rules.js";
import { treatments } from "../build/treatments.js";
import type { Project, Segment } from "../types.js";
import { parseYaml } from "../written/yaml-source.js";
import type { Template } from "../../render/templates/types.js";
import { audienceClocks, crowded, firstRunOver, lintSegment } from "./segment-rules.js";
import { lintTemplate } from "./template-rules.js";
import type { Finding, Found, LintResult, Use } from "./types.js";

/**
 * Everything there is to say of the `selected` segments (by default all) and the templates that they send. Segments that are not
 * selected count where segments are looked at beside each other. `ran`: ids of those that the ledger has a run of; null: nobody
 * knows, and `first-run-over` isn't looked for. Asks no warehouse.
 */
export function lintProject(
  project: Project,
  templates: (name: string) => Template,
  selected: readonly Segment[] = [...project.segments.values()],
  ran: ReadonlySet<string> | null = null,
): LintResult {
  const segments = [...project.segments.values()];
  const uses = usesOf(project, templates);
  const all = [
    ...segments.flatMap((segment) => lintSegment(segment, project.policy)),
    ...audienceClocks(project),
    ...crowded(segments, project.policy),
    ...firstRunOver(segments, ran ?? new Set()),
    ...uses.flatMap((use) => lintTemplate(use, project)),
    ...noWayToUnsubscribe(project, uses),
  ];
  const found = distinct(all);
  const chosen = new Set(selected.map(({ id }) => id));
  const files = [
    ...segments.map(({ file, lint, id }) => ({ file, silences: lint, segments: [id] })),
    ...uses.map(({ template, segments: users }) => ({ file: template.file, silences: template.lint, segments: users.map(({ id }) => id) })),
    { file: PROJECT_FILE, silences: project.lint, segments: chosen.size === segments.length ? [...chosen] : [] },
  ];
  const asked = (rule: LintRule): boolean => rule !== "first-run-over" || ran !== null;
  const needless = files.flatMap((file) => needlessIn(file, all, asked, file.silences === project.lint));
  const wanted = (finding: Finding): boolean => finding.segments.some((id) => chosen.has(id));
  const reasonOf = ({ rule, silences }: Found): string | undefined => (silences.get(rule) ?? project.lint.get(rule))?.reason;
  return {
    findings: inOrder([...found.filter((finding) => reasonOf(finding) === undefined).map(bare), ...needless].filter(wanted)),
    silenced: inOrder(
      found.filter(wanted).flatMap((finding) => {
        const reason = reasonOf(finding);
        return reason === undefined ? [] : [{ ...bare(finding), reason }];
      }),
    ),
  };
}

function usesOf(project: Project, templates: (name: string) => Template): Use[] {
  const users = new Map<string, { segment: Segment; channel: string }[]>();
  for (const segment of project.segments.values()) {
    for (const { template, channel } of treatments(segment)) users.set(template, [...(users.get(template) ?? []), { segment, channel }]);
  }
  return [...users].map(([name, of]) => ({
    template: templates(name),
    segments: [...new Set(of.map(({ segment }) => segment))],
    contents: new Set(of.flatMap(({ channel }) => contentOf(project.channels.get(channel)?.type))),
    marketing: of.some(({ segment }) => segment.class === "marketing"),
  }));
}

function contentOf(type: ChannelType | undefined): ChannelKind["content"][] {
  return type === undefined ? [] : [channelKind(type).content];
}

/** Marketing that a provider really sends, in a project that has no address to unsubscribe at. */
function noWayToUnsubscribe(project: Project, uses: readonly Use[]): Found[] {
  if (project.links.unsubscribeUrl !== null) return [];
  const marketing = uses.flatMap(({ segments }) => segments).filter((segment) => segment.class === "marketing");
  const sending = new Set([...project.channels.values()].filter(leaves).map(({ name }) => name));
  const sent = marketing.filter((segment) => treatments(segment).some(({ channel }) => sending.has(channel)));
  if (sent.length === 0) return [];
  const { source } = parseYaml(PROJECT_FILE, readText(project.root, PROJECT_FILE).text);
  const message = "Marketing is sent, and links.unsubscribe_url is not set: {{unsubscribe_url}} is empty, and emails have no List-Unsubscribe header.";
  const place = source?.place(["links"], "key") ?? { line: 1, column: 1 };
  return [{ rule: "no-unsubscribe", file: PROJECT_FILE, ...place, message, segments: [...new Set(sent.map(({ id }) => id))], silences: project.lint }];
}

/** Silences that no finding of theirs needs, of the rules that were asked. */
function needlessIn(
  { file, silences, segments }: { file: string; silences: Silences; segments: readonly string[] },
  found: readonly Found[],
  asked: (rule: LintRule) => boolean,
  everywhere: boolean,
): Finding[] {
  const bites = (rule: LintRule): boolean => found.some((finding) => finding.rule === rule && (everywhere || finding.silences === silences));
  return [...silences]
    .filter(([rule]) => asked(rule) && !bites(rule))
    .map(([rule, { line, column }]) => ({
      rule: "needless-silence" as const,
      file,
      line,
      column,
      message: `lint: {${rule}: …} silences nothing${everywhere ? "" : " here"}.`,
      segments,
    }));
}

/** A partial's fault is found once for each template that uses it; it is told once, unless one of them silences it. */
function distinct(found: readonly Found[]): Found[] {
  const byPlace = new Map<string, Found>();
  for (const finding of found) {
    const { rule, file, line, column, message, silences } = finding;
    const place = JSON.stringify([rule, file, line, column, message, silences.has(rule)]);
    const earlier = byPlace.get(place);
    byPlace.set(place, earlier === undefined ? finding : { ...earlier, segments: [...new Set([...earlier.segments, ...finding.segments])] });
  }
  return [...byPlace.values()];
}

function bare({ silences: _, ...finding }: Found): Finding {
  return finding;
}

function inOrder<T extends Finding>(findings: readonly T[]): T[] {
  const first = ({ file }: Finding): string => (file === PROJECT_FILE ? "" : file);
  return [...findings].sort((a, b) =>
    first(a) !== first(b) ? (first(a) < first(b) ? -1 : 1) : a.line - b.line || a.column - b.column || (a.rule < b.rule ? -1 : 1),
  );
}
