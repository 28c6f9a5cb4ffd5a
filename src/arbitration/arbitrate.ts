import { secondsBefore } from "../core/clock.js";
import { addressColumn } from "../project/treatments.js";
import { canonicalAddresses } from "../warehouse/canonical.js";
import { literal, type Dialect } from "../warehouse/dialect.js";
import { textConstant, timestampLiteral } from "../warehouse/sql.js";
import { assemble, type Assembled } from "./chapters.js";
import {
  audienceConstants,
  bucketBelow,
  capConstants,
  firstOffsetConstants,
  historyFrom,
  longestCapSeconds,
  needConstants,
  otherZone,
  outcomeConstants,
  segmentConstants,
  stepConstants,
  zoneConstants,
  type Arbitration,
} from "./constants.js";

/** Before any decision. */
const BEGINNING = "1970-01-01T00:00:00Z";

/** Files of sql/, in their order. */
export const CHAPTERS = ["10_project", "20_ledger", "30_journeys", "40_candidates", "50_facts", "60_line", "70_decide", "80_endings", "90_write"].map(
  (name) => `arbitrate/${name}.sql`,
);

/**
 * The chapters with this run's project written in: the exact statements that decide.
 * @param whole as one statement, also where the warehouse keeps tables; to be planned, not run
 */
export function arbitrationStatements(arbitration: Arbitration, templateVersion: (template: string) => string, dialect: Dialect, whole?: boolean): Assembled {
  const { project, asOf, trial, salt } = arbitration;
  const earliest = arbitration.segments.map((segment) => historyFrom(segment, asOf)).sort()[0] ?? asOf;
  const inHistory = arbitration.forgotten.filter((run) => Date.parse(run.asOf) >= Date.parse(earliest));
  const words = {
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
    max_per_run: String(project.policy.maxPerRun),
    project_holdout_below: `'${bucketBelow(project.policy.holdout / 100)}'`,
  };
  return assemble({ chapters: CHAPTERS, dialect, schema: project.target.schema, words: (binder) => ({ ...words, salt: textConstant(salt, binder) }) }, whole);
}
