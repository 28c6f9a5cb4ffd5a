import { OpportuneError } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import type { Project, Segment } from "../../project/types.js";
import { unknownName } from "./context.js";

/** What a selector may ask for by name: `signal:intent`. */
const PROPERTIES: Readonly<Record<string, (segment: Segment) => string | null>> = {
  signal: (segment) => segment.signal,
  status: (segment) => segment.status,
  topic: (segment) => segment.topic,
};

/** Words of options given once or several times, separated by commas or white space. */
export function words(given: readonly string[] | undefined): string[] {
  return (given ?? []).flatMap((text) => text.split(/[\s,]+/)).filter((word) => word !== "");
}

/**
 * The segments that --select names and --exclude doesn't, in id order; without --select all of `from`. A word is an id, a
 * pattern (`cart_*`), or `signal:`, `status:` or `topic:` with a value or pattern.
 * @throws OpportuneError (exit 2) for a word that matches nothing, with the nearest name, and where nothing is left
 */
export function selectSegments(project: Project, options: { select?: readonly string[]; exclude?: readonly string[] }): Segment[] {
  const all = [...project.segments.values()];
  const select = words(options.select);
  const selected = options.select === undefined ? new Set(all) : new Set(select.flatMap((word) => matching(word, all)));
  for (const segment of words(options.exclude).flatMap((word) => matching(word, all))) selected.delete(segment);
  if (selected.size === 0 && all.length > 0) {
    throw new OpportuneError(
      {
        code: "usage/nothing-selected",
        message: "No segment is left by --select and --exclude.",
        hint: "`opportune ls` shows what there is; --select and --exclude can be tried on it.",
      },
      2,
    );
  }
  return all.filter((segment) => selected.has(segment));
}

function matching(word: string, segments: readonly Segment[]): Segment[] {
  const [, property, value] = /^(\w+):(.*)$/.exec(word) ?? [];
  if (property === undefined || value === undefined) {
    const found = segments.filter(({ id }) => pattern(word).test(id));
    if (found.length === 0)
      throw unknownName(
        "segment",
        word,
        segments.map(({ id }) => id),
      );
    return found;
  }
  const read = PROPERTIES[property];
  if (read === undefined) {
    const nearest = nearestName(property, Object.keys(PROPERTIES));
    throw new OpportuneError(
      {
        code: "usage/selector",
        message: `Segments can't be selected by ${JSON.stringify(property)}.`,
        hint:
          didYouMean(nearest === undefined ? undefined : `${nearest}:${value}`) ??
          `Allowed: ${Object.keys(PROPERTIES).join(", ")}, ids and patterns such as cart_*.`,
      },
      2,
    );
  }
  const found = segments.filter((segment) => pattern(value).test(read(segment) ?? ""));
  if (found.length === 0) throw unknownName(property, value, [...new Set(segments.flatMap((segment) => read(segment) ?? []))].sort());
  return found;
}

/** `*` any characters, `?` one. */
function pattern(glob: string): RegExp {
  const escaped = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`);
}
