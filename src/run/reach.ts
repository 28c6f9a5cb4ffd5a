/** How far back the rules of a project look into the ledger: what is older may be pruned. */
import type { ActiveStep } from "../arbitration/activation.js";
import { historyFrom } from "../arbitration/constants.js";
import { longestCapSeconds } from "../arbitration/rule-constants.js";
import { SURGE_LOOK_BACK_MS } from "../arbitration/surge.js";
import { instant, secondsBefore } from "../core/clock.js";
import type { Ledger } from "../ledger/ledger.js";
import { previousSegmentRuns, RECENTLY_MS } from "../ledger/runs/segment-runs.js";
import type { Project } from "../project/types.js";

/** What looks back how far, ISO 8601 UTC. */
interface Reach {
  name: string;
  from: string;
}

/** What looks back the longest: nothing later may be pruned. `now`: ms since 1970 UTC. */
export async function reachOf(project: Project, ledger: Ledger, now: number): Promise<Reach> {
  const others = [
    { name: "the surge breaker", from: instant(now - SURGE_LOOK_BACK_MS) },
    { name: "the last runs", from: instant(now - RECENTLY_MS) },
  ];
  return earliest([...(await reachesOfRules(project, ledger, instant(now))), ...others]);
}

/** What the rules look back on as of a time: caps, and each segment from its last run. */
export async function reachesOfRules(project: Project, ledger: Ledger, asOf: string): Promise<Reach[]> {
  const reaches = [{ name: "the longest cap or spacing", from: secondsBefore(asOf, longestCapSeconds(project)) }];
  for (const trial of [false, true]) {
    const last = await previousSegmentRuns(ledger, [...project.segments.keys()], trial, asOf);
    for (const segment of project.segments.values()) {
      const stored = last.get(segment.id);
      const previous = stored === undefined ? undefined : { ...stored, steps: JSON.parse(stored.steps) as ActiveStep[] };
      reaches.push({ name: `segment ${segment.id}`, from: historyFrom({ segment, previous, backfill: false }, asOf) });
    }
  }
  return reaches;
}

function earliest(reaches: readonly Reach[]): Reach {
  return reaches.reduce((before, each) => (Date.parse(each.from) < Date.parse(before.from) ? each : before));
}
