/** Names that point at something elsewhere in the project: found in the YAML as written, so that one slip hides no other. */
import type { Problem } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import { NAME_PATTERN, TEMPLATE_PATTERN } from "./fields.js";
import { problemAt, show, valueAt } from "./problems.js";
import type { YamlSource } from "../written/yaml-source.js";

type Kind = "audience" | "channel" | "template" | "topic";

/** The names there are; null where they could not be read, so that nothing is called unknown. */
export type Known = Readonly<Record<Kind, readonly string[] | null>>;

type References = readonly (readonly [Kind, string])[];

/** `*` stands for each entry of a list or mapping. */
export const PROJECT_REFERENCES: References = [
  ["audience", "policy.exclude.*"],
  ["audience", "policy.require.*"],
  ["channel", "policy.caps.*.channel"],
  ["topic", "policy.caps.*.topic"],
];

export const SEGMENT_REFERENCES: References = [
  ["audience", "goal"],
  ["audience", "goal.audience"],
  ["audience", "exclude.*"],
  ["audience", "require.*"],
  ["channel", "channel"],
  ["channel", "steps.*.channel"],
  ["channel", "steps.*.variants.*.channel"],
  ["template", "template"],
  ["template", "steps.*.template"],
  ["template", "steps.*.variants.*.template"],
];

/** More names than this are not listed in a message. */
const LISTED = 12;

const WAY_OUT: Readonly<Record<Kind, (name: string) => string>> = {
  audience: (name) => `write segments/audiences/${name}.sql`,
  channel: () => "add it to channels in opportune.yml",
  template: (name) => `write templates/${name}.hbs`,
  topic: () => "a segment names its topic with topic:",
};

/** The names of a kind that a value points at. */
export function referredTo(kind: Kind, value: unknown, references: References): string[] {
  return references.filter(([of]) => of === kind).flatMap(([, pattern]) => textsAt(value, pattern).map(({ text }) => text));
}

/** A problem for each name that points nowhere. `value` is the source's, with environment variables filled in. */
export function checkReferences(source: YamlSource, value: unknown, references: References, known: Known): Problem[] {
  return references.flatMap(([kind, pattern]) => {
    const allowed = kind === "template" ? TEMPLATE_PATTERN : NAME_PATTERN;
    const names = known[kind]?.filter((name) => allowed.test(name));
    if (names === undefined) return [];
    return textsAt(value, pattern)
      .filter(({ text }) => allowed.test(text) && !names.includes(text))
      .map(({ path, text }) => {
        const written = valueAt(source.value, path);
        const place = /^\d+$/.test(path.at(-1) ?? "") ? path.slice(0, -1) : path;
        const message = `unknown ${kind} ${show(written)} in ${place.join(".")}; known: ${list(names)}`;
        const hint = didYouMean(nearestName(text, names)) ?? WAY_OUT[kind](String(written));
        return problemAt(source, path, { code: `config/unknown-${kind}`, message, hint });
      });
  });
}

/** `a, b, c`, cut where it gets long; `none` for nothing. */
export function list(names: readonly string[]): string {
  if (names.length === 0) return "none";
  return [...names.slice(0, LISTED), ...(names.length > LISTED ? ["…"] : [])].join(", ");
}

function textsAt(value: unknown, pattern: string): { path: string[]; text: string }[] {
  let found: { path: string[]; value: unknown }[] = [{ path: [], value }];
  for (const part of pattern.split(".")) {
    found = found.flatMap((at) => {
      const names = part !== "*" ? [part] : at.value !== null && typeof at.value === "object" ? Object.keys(at.value) : [];
      return names.map((name) => ({ path: [...at.path, name], value: valueAt(at.value, [name]) }));
    });
  }
  return found.flatMap(({ path, value: text }) => (typeof text === "string" ? [{ path, text }] : []));
}
