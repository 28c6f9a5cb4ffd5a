/**
 * A segment's name is its identity: under a new one the ledger knows of no message, and its users would hear again. A renamed
 * segment is known by its query, which the ledger holds as a hash for each segment that ever ran.
 */
import type { Problem } from "../core/errors.js";
import type { Segment } from "../project/types.js";
import { hasQueryOf } from "./shape.js";

/** What the ledger says of a segment's last run in which its query worked. */
type LastRun = Readonly<{ shape: string }>;

/** Whether the segment's last run asked another query, or there was none: it may be another segment under a new name. */
export function hasNewQuery(segment: Segment, last: LastRun | undefined): boolean {
  return last === undefined || !hasQueryOf(segment, last.shape);
}

/** Whether nothing in the project goes on as the segment that ran: no file, a draft, or a file with another query. */
export function isGone(segments: ReadonlyMap<string, Segment>, id: string, last: LastRun): boolean {
  const segment = segments.get(id);
  return segment === undefined || segment.status === "draft" || hasNewQuery(segment, last);
}

/**
 * The segments, among the `selected`, that are not run: those whose new query is that of a segment which is gone, and a segment
 * whose old name is under another query now, as its run would make that query its last one. Each is a problem that names both,
 * and the ways out. `all`: every segment of the project; `last`: the last runs of all that the ledger knows. Drafts send nothing.
 */
export function renamedSegments(all: ReadonlyMap<string, Segment>, selected: readonly Segment[], last: ReadonlyMap<string, LastRun>): Map<string, Problem> {
  const gone = [...last].filter(([id, run]) => isGone(all, id, run));
  const problems = new Map<string, Problem>();
  // Whether it is selected or not: a run of the one alone would hide the other.
  for (const segment of all.values()) {
    if (segment.status === "draft" || !hasNewQuery(segment, last.get(segment.id))) continue;
    const before = gone.flatMap(([id, run]) => (id !== segment.id && hasQueryOf(segment, run.shape) ? [id] : [])).sort();
    if (before.length === 0) continue;
    problems.set(segment.id, renamed(segment, before, all));
    for (const id of before) {
      const other = all.get(id);
      if (other !== undefined && other.status !== "draft" && !problems.has(id)) problems.set(id, replaced(other, segment));
    }
  }
  return new Map(
    selected.flatMap(({ id }) => {
      const problem = problems.get(id);
      return problem === undefined ? [] : [[id, problem]];
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
    ...placeOf(segment),
  };
}

function replaced(segment: Segment, heir: Segment): Problem {
  return {
    code: "segment/renamed",
    message: `Segment ${segment.id} has another query than in its last run, and ${heir.file} has that one: which of the two goes on as ${segment.id} can't be told. It is not run.`,
    hint: `If ${heir.file} goes on as ${segment.id}, give ${segment.file} another id, and write \`id: ${segment.id}\` into ${heir.file}. If not, run \`opportune ledger forget-segment ${segment.id}\`.`,
    ...placeOf(segment),
  };
}

function placeOf(segment: Segment): Pick<Problem, "file" | "line"> {
  return { file: segment.file, line: segment.places.get("id")?.line ?? 1 };
}
