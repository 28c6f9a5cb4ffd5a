/** What a schema can't say: how the keys of one valid file must fit together. */
import { CHANNEL_TYPES } from "../../channels/registry.js";
import type { Problem } from "../../core/errors.js";
import { formatDuration } from "../../core/durations.js";
import { isLoopback } from "../../core/loopback.js";
import { nearestName, didYouMean } from "../../core/suggest.js";
import { PROVIDER_KINDS, providerKind } from "../../delivery/providers/registry.js";
import { capName, stepsOf } from "../build/build.js";
import { checkFactors } from "./factors.js";
import { problemAt, type Report } from "./problems.js";
import type { ProjectFile } from "./project-schema.js";
import { list } from "./references.js";
import { SHORT_FORM, type SegmentFrontMatter } from "./segment-schema.js";
import { typeOf } from "../targets/targets.js";
import { checkVars } from "../build/vars.js";
import { weaknessOf } from "../build/weak-secret.js";
import type { Path, YamlSource } from "../written/yaml-source.js";

function collect(source: YamlSource, check: (report: Report) => void, skip: (path: Path) => boolean = () => false): Problem[] {
  const problems: Problem[] = [];
  check((path, code, message, hint, part) => {
    if (!skip(path)) problems.push(problemAt(source, path, { code: `config/${code}`, message, hint }, part));
  });
  return problems;
}

/** Rules of opportune.yml. `skip` names the values whose variables nobody set: what stands there is still `${NAME}`. */
export function checkProjectRules(data: ProjectFile, source: YamlSource, skip: (path: Path) => boolean): Problem[] {
  return [...checkVars(data.vars, source), ...collect(source, (report) => checkKeys(data, report), skip)];
}

function checkKeys(data: ProjectFile, report: Report): void {
  for (const [name, channel] of Object.entries(data.channels)) checkChannel(name, channel, report);
  for (const [name, target] of Object.entries(data.targets)) typeOf(target.type).check(target, ["targets", name], report);
  for (const [name, target] of Object.entries(data.targets)) checkTarget(name, target, report);

  const { quiet_hours: quiet, caps } = data.policy;
  if (quiet !== undefined && quiet.from === quiet.to) {
    const hint = "leave quiet_hours out to send at any hour";
    report(["policy", "quiet_hours", "to"], "quiet-hours", `policy.quiet_hours is from "${quiet.from}" to "${quiet.to}", which is no time or all day`, hint);
  }
  const capNames = caps.map(capName);
  for (const [index, name] of capNames.entries()) {
    if (capNames.indexOf(name) === index) continue;
    report(["policy", "caps", String(index)], "duplicate-cap", `the cap "${name}" stands twice`, "give one of them a name:");
  }

  for (const [name, source] of Object.entries(data.sources)) {
    if (typeof source === "string" || source.stale_after === undefined || source.loaded_at !== undefined) continue;
    report(
      ["sources", name, "stale_after"],
      "stale-after",
      `sources.${name}.stale_after needs loaded_at`,
      "name the column that says when a row arrived: loaded_at: updated_at",
    );
  }

  const { unsubscribe_url: url, unsubscribe_secret: secret } = data.links;
  if (url !== undefined && secret === undefined) {
    report(
      ["links", "unsubscribe_url"],
      "unsubscribe",
      "links.unsubscribe_url needs unsubscribe_secret, which signs its tokens",
      "add unsubscribe_secret: ${UNSUBSCRIBE_SECRET}",
    );
  }
  const weakness = secret === undefined ? null : weaknessOf(secret);
  if (weakness !== null) {
    report(
      ["links", "unsubscribe_secret"],
      "weak-secret",
      `links.unsubscribe_secret ${weakness}: with it anybody can unsubscribe others`,
      "make one with `openssl rand -hex 32`, and keep it: old links are signed with it",
    );
  }
  if (secret !== undefined && url === undefined) {
    report(["links", "unsubscribe_secret"], "unsubscribe", "links.unsubscribe_secret needs unsubscribe_url, the links it signs");
  }
}

/** What any target may have; what is written and not heeded would mislead. */
function checkTarget(name: string, { live, allow, on_alert: alert }: ProjectFile["targets"][string], report: Report): void {
  const path = ["targets", name];
  if (live && allow.length > 0) {
    const message = `${path.join(".")}.allow has no effect beside live: true, which writes to everybody`;
    report([...path, "allow"], "no-effect", message, "leave one of them out", "key");
  }
  if (alert === undefined) return;
  if (alert.command === undefined && alert.webhook === undefined) {
    report([...path, "on_alert"], "missing", `${path.join(".")}.on_alert tells nobody`, "add command: or webhook:");
  }
  if (alert.silent_after !== undefined && !alert.on.includes("silent")) {
    const message = `${path.join(".")}.on_alert.silent_after has no effect, as on: leaves out silent`;
    report([...path, "on_alert", "silent_after"], "no-effect", message, "add silent to on:, or leave silent_after out", "key");
  }
}

function checkChannel(name: string, channel: ProjectFile["channels"][string], report: Report): void {
  const path = ["channels", name];
  const type = channel.type ?? CHANNEL_TYPES.find((known) => known === name);
  if (type === undefined) {
    const nearest = nearestName(name, CHANNEL_TYPES);
    const hint = nearest === undefined ? `write type: under channels.${name}` : `${didYouMean(nearest) ?? ""} Else write type:`;
    report(path, "missing", `type is missing in ${path.join(".")}, whose name is no type; expected one of ${CHANNEL_TYPES.join(", ")}`, hint);
  }
  const kind = providerKind(channel.provider);
  const { sandbox, endpoint } = channel as { sandbox?: unknown; endpoint?: unknown };
  if (sandbox === true && !(kind.sandbox !== undefined && isHere(endpoint))) {
    const names = PROVIDER_KINDS.flatMap((each) => (each.sandbox === undefined ? [] : [each.name]));
    const hint = `write provider: ${names.join(" or ")} and endpoint: "http://127.0.0.1:4010", or leave sandbox out`;
    const message = `${path.join(".")}.sandbox needs the provider ${names.join(" or ")} and an endpoint on this machine`;
    report([...path, "sandbox"], "sandbox", message, hint, "key");
  }
  if (type !== undefined && kind.serves?.includes(type) === false) {
    const message = `${path.join(".")}.provider is "${kind.name}", which sends ${kind.serves.join(" and ")} only, not ${type}`;
    report([...path, "provider"], "provider", message, "use provider: outbox");
  }
  for (const { key, code, message, hint } of kind.misfits(path.join("."), channel)) report(key === null ? path : [...path, key], code, message, hint);
}

function isHere(endpoint: unknown): boolean {
  return typeof endpoint === "string" && URL.canParse(endpoint) && isLoopback(new URL(endpoint).hostname);
}

/** Rules of a segment's front matter. */
export function checkSegmentRules(data: SegmentFrontMatter, source: YamlSource): Problem[] {
  return collect(source, (report) => {
    if (data.steps === undefined) checkShortForm(data, report);
    else checkSteps(data, report);

    if (data.class === "transactional" && data.repeat.kind === "each_occurrence" && data.key === undefined) {
      const hint = "name the column that tells occurrences apart, such as key: order_id";
      report(["repeat"], "key-needed", "a transactional segment with repeat: each_occurrence needs a key", hint);
    }
    if (data.class === "transactional") {
      for (const key of ["holdout", "max_per_run"] as const) {
        if (data[key] === undefined || data[key] === 0) continue;
        report([key], "no-effect", `${key} has no effect in a transactional segment, whose messages no holdout or limit stops`, "leave it out", "key");
      }
    }
    for (const audience of data.exclude.filter((name) => data.require.includes(name))) {
      report(["require", String(data.require.indexOf(audience))], "nobody-left", `"${audience}" is both excluded and required, so that nobody is left`);
    }
  });
}

function checkShortForm(data: SegmentFrontMatter, report: Report): void {
  if (SHORT_FORM.every((key) => data[key] === undefined)) {
    report([], "no-steps", "a segment needs at least one step", "write steps:, or channel: and template: for a single message");
    return;
  }
  for (const key of ["channel", "template"] as const) {
    if (data[key] === undefined) report([], "missing", `${key} is missing; a segment without steps names it itself`);
  }
}

function checkSteps(data: SegmentFrontMatter, report: Report): void {
  checkFactors(data, report);
  for (const key of SHORT_FORM) {
    if (data[key] === undefined) continue;
    report([key], "steps-twice", `${key} stands beside steps`, "move it into a step", "key");
  }
  const names = new Map<string, number>();
  const takenBy = new Map<number, string>();
  for (const [index, step] of stepsOf(data).entries()) {
    const path = ["steps", String(index)];
    const earlier = names.get(step.name);
    if (earlier !== undefined) report([...path, "name"], "duplicate-step", `the step "${step.name}" stands twice`, "give each step its own name");
    names.set(step.name, index);

    // A variant may move its step, so each of its times is one at which the step may fall due.
    const own = new Map([[step.afterSeconds, [...path, "after"]]]);
    for (const variant of step.variants) {
      if (!own.has(variant.afterSeconds)) own.set(variant.afterSeconds, [...path, "variants", variant.name, "after"]);
    }
    for (const [seconds, at] of own) {
      const other = takenBy.get(seconds);
      if (other === undefined) takenBy.set(seconds, step.name);
      else if (earlier === undefined) {
        const message = `the steps "${other}" and "${step.name}" both fall due after ${formatDuration(seconds)}; taken: ${list([...takenBy.keys()].map(formatDuration))}`;
        report(at, "equal-after", message, "give each step its own after");
      }
    }
  }
}
