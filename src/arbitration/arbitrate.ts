import { secondsBefore } from "../core/clock.js";
import { addressColumn } from "../project/build/treatments.js";
import { canonicalAddresses } from "../warehouse/canonical.js";
import { literal, type Dialect } from "../warehouse/dialect.js";
import { timestampLiteral } from "../warehouse/sql.js";
import { REASONS } from "./reasons.js";
import { assemble, type Assembled } from "./chapters.js";
import { bucketBelow, firstOffsetConstants, historyFrom, segmentConstants, stepConstants, type Arbitration } from "./constants.js";
import { audienceConstants, capConstants, longestCapSeconds, needConstants, otherZone, outcomeConstants, zoneConstants } from "./rule-constants.js";

/** Before any decision. */
const BEGINNING = "1970-01-01T00:00:00Z";

/** Asked of what stops the other steps of a journey, so that it comes after the reasons asked of each candidate alone. */
const OF_JOURNEYS = ["superseded"];

const RULES = REASONS.flatMap(({ place, ...reason }) => (place === null || reason.name === "claimed" ? [] : [{ ...reason, place }]));
const FIRST_IN_LINE = Math.min(...RULES.filter(({ inLine }) => inLine).map(({ place }) => place));
const ASKED = RULES.filter(({ name, place }) => place < FIRST_IN_LINE && !OF_JOURNEYS.includes(name));
const LAST = RULES.filter((reason) => !ASKED.includes(reason));

const chapter = (name: string): string => `arbitrate/${name}.sql`;
const filesOf = (rules: typeof RULES): string[] => rules.map(({ name }) => chapter(`reasons/${name}`));

/** Files of sql/, in the order in which one reads what another gives. */
export const CHAPTERS: readonly string[] = [
  ...["10_project", "20_ledger", "30_journeys", "40_candidates", "50_facts"].map(chapter),
  ...filesOf(ASKED),
  chapter("55_bites"),
  ...filesOf(LAST.filter(({ place }) => place < FIRST_IN_LINE)),
  chapter("60_line"),
  ...filesOf(LAST.filter(({ place }) => place >= FIRST_IN_LINE)),
  ...["70_decide", "80_endings", "90_write"].map(chapter),
];

/** A reason's words in the chapters that put the reasons together: a reason in place of another comes right before it. */
function bite({ name, place, insteadOf }: (typeof RULES)[number]): Record<string, unknown> {
  const other = RULES.find((reason) => reason.name === insteadOf);
  return { name, doubled: 2 * place, instead_of: other === undefined ? null : { name: other.name, place: 2 * other.place - 1 } };
}

/** In place of what is written: what `explain --all` asks for. */
export const EXPLAINING = "arbitrate/95_explain.sql";

/**
 * The chapters with this run's project written in: the exact statements that decide.
 * @param whole as one statement, also where the warehouse keeps tables; to be planned, not run
 */
export function arbitrationStatements(arbitration: Arbitration, templateVersion: VersionOf, dialect: Dialect, whole?: boolean): Assembled {
  const { project, salt } = arbitration;
  const words = wordsOf(arbitration, templateVersion, dialect);
  return assemble({ chapters: CHAPTERS, dialect, schema: project.target.schema, words, texts: { salt } }, whole);
}

/** The same chapters, of which the last gives every reason that stops the candidates of one user: nothing is written. */
export function explainingStatements(user: string, arbitration: Arbitration, templateVersion: VersionOf, dialect: Dialect): Assembled {
  const { project, salt } = arbitration;
  const words = wordsOf(arbitration, templateVersion, dialect);
  return assemble({ chapters: [...CHAPTERS, EXPLAINING], dialect, schema: project.target.schema, words, texts: { salt, user } });
}

type VersionOf = (template: string) => string;

/** What the chapters' words stand for. */
function wordsOf(arbitration: Arbitration, templateVersion: VersionOf, dialect: Dialect): Record<string, unknown> {
  const { project, asOf, trial } = arbitration;
  const earliest = arbitration.segments.map((segment) => historyFrom(segment, asOf)).sort()[0] ?? asOf;
  const inHistory = arbitration.forgotten.filter((run) => Date.parse(run.asOf) >= Date.parse(earliest));
  return {
    as_of: timestampLiteral(asOf, dialect),
    trial,
    segments: segmentConstants(arbitration),
    steps: stepConstants(arbitration, templateVersion),
    first_offsets: firstOffsetConstants(arbitration),
    needs: needConstants(arbitration),
    audience_use: audienceConstants(arbitration),
    caps: capConstants(project),
    zones: zoneConstants(arbitration),
    other_zone: otherZone(arbitration),
    outcomes: outcomeConstants(),
    suppressed_address: canonicalAddresses(new Map([...project.channels.keys()].map((name) => [name, addressColumn(project, name)])), dialect),
    history_from: timestampLiteral(earliest, dialect),
    // What left of a run by a clock ahead is about behaviours that are still to come: it is known however long ago it was taken back.
    forgotten: inHistory.map(({ runId }) => literal(runId)).join(", "),
    kept_by: inHistory.map(({ record }) => literal(record)).join(", "),
    kept_at: inHistory.map(({ at }) => timestampLiteral(at, dialect)).join(", "),
    had_before_from: timestampLiteral(arbitration.segments.some(({ segment }) => segment.repeat.kind === "never") ? BEGINNING : asOf, dialect),
    // Of what was decided before, the ledger has forgotten too much to take a behaviour up.
    pruned_to: timestampLiteral(arbitration.prunedTo ?? BEGINNING, dialect),
    caps_from: timestampLiteral(secondsBefore(asOf, longestCapSeconds(project)), dialect),
    backfills: arbitration.segments.some(({ backfill }) => backfill),
    asked: ASKED.map(bite),
    last: LAST.map(bite),
    // A step that one of these stops supersedes nothing.
    closing: ASKED.flatMap(({ name, supersedes }) => (supersedes ? [] : [literal(name)])).join(", "),
    segment_limits: arbitration.segments.some(({ segment }) => segment.maxPerRun !== null),
    holdouts: project.policy.holdout > 0 || arbitration.segments.some(({ segment }) => segment.holdout > 0),
    max_per_run: String(project.policy.maxPerRun),
    project_holdout_below: `'${bucketBelow(project.policy.holdout / 100)}'`,
  };
}
