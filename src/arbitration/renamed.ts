/**
 * A segment's name is its identity: under a new one the ledger knows of no message, and its users would hear again. A renamed
 * segment is known by its query, which the ledger holds as a hash for each segment that ever ran.
 */
import type { Problem } from "../core/errors.js";
import type { Segment } from "../project/types.js";
import { queryOf, shapeOf } from "./shape.js";

/** What the ledger says of a segment's last run in which its query worked. */
type LastRun = Readonly<{ shape: string }>;

/** Whether the segment's last run asked another query, or there was none: it may be another segment under a new name. */
export function hasNewQuery(segment: Segment, last: LastRun | undefined): boolean {
  return last === undefined || queryOf(last.shape) !== queryOf(shapeOf(segment));
}

/** Whether nothing in the project goes on as the segment that ran: no file, a draft, or a file with another query. */
export function isGone(segments: ReadonlyMap<string, Segment>, id: string, last: LastRun): boolean {
  const segment = segments.get(id);
  return segment === undefined || segment.status === "draft" || hasNewQuery(segment, last);
}

/**
 * The segments, among the `selected`, whose new query is that of a segment which is gone: each a problem that names both, and
 * the ways out. `all`: every segment of the project; `last`: the last runs of all that the ledger knows. Drafts send nothing.
 */
export function renamedSegments(all: ReadonlyMap<string, Segment>, selected: readonly Segment[], last: ReadonlyMap<string, LastRun>): Map<string, Problem> {
  const gone = [...last].filter(([id, run]) => isGone(all, id, run));
  return new Map(
    selected.flatMap((segment) => {
      if (segment.status === "draft" || !hasNewQuery(segment, last.get(segment.id))) return [];
      const query = queryOf(shapeOf(segment));
      const before = gone.flatMap(([id, run]) => (id !== segment.id && queryOf(run.shape) === query ? [id] : [])).sort();
      return before.length === 0 ? [] : [[segment.id, renamed(segment, before, all)]];
    }),
  );
}

function renamed(segment: Segment, before: readonly string[], all: ReadonlyMap<string, Segment>): Problem {
  const [first = ""] = before;
  const file = all.get(first);
  const state = file === undefined ? "has no file any more" : file.status === "draft" ? "is a draft now" : "has another query now";
  return {
    code: "segment/renamed",
    message: `Segment ${segment.id} has the query of segment ${first}, which ran before and ${state}: it looks renamed, and its users would hear again. It is not run.`,
    hint: `If it is the same segment, ${file === undefined ? "" : `give ${file.file} another id, and `}write \`id: ${first}\` into its front matter. If ${first} is gone for good, run \`opportune ledger forget-segment ${before.join(" ")}\`.`,
    file: segment.file,
    line: segment.places.get("id")?.line ?? 1,
  };
}
