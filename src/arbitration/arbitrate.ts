import { secondsBefore } from "../core/clock.js";
import { addressColumn } from "../project/build/treatments.js";
import { canonicalAddresses } from "../warehouse/canonical.js";
import { literal, type Dialect } from "../warehouse/dialect.js";
import { Binder, renderSqlFile, textConstant, timestampLiteral } from "../warehouse/sql.js";
import type { Statement } from "../warehouse/types.js";
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

/** sql/arbitrate.sql with this run's project written in: the exact statement that decides. */
export function arbitrateStatement(arbitration: Arbitration, templateVersion: (template: string) => string, dialect: Dialect): Statement {
  const { project, asOf, trial, salt } = arbitration;
  const binder = new Binder(dialect);
  const earliest = arbitration.segments.map((segment) => historyFrom(segment, asOf)).sort()[0] ?? asOf;
  const inHistory = arbitration.forgotten.filter((run) => Date.parse(run.asOf) >= Date.parse(earliest));
  return renderSqlFile(
    "arbitrate.sql",
    dialect,
    project.target.schema,
    {
      as_of: timestampLiteral(asOf, dialect),
      trial,
      salt: textConstant(salt, binder),
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
    },
    binder,
  );
}
