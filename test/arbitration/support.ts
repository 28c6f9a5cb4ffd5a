import type { Arbitration } from "../../src/arbitration/constants.js";
import type { Project } from "../../src/project/types.js";
import { AS_OF, segmentOf } from "../segments/support.js";

/** An arbitration as of AS_OF of a project's segment `cart`, which was queried and of which the ledger knows nothing. */
export function arbitrationOf(project: Project): Arbitration {
  return {
    project,
    trial: false,
    asOf: AS_OF,
    salt: "salt",
    forgotten: [],
    prunedTo: null,
    segments: [
      {
        segment: segmentOf(project),
        activation: { shape: "s", activatedAt: null, steps: [] },
        previous: undefined,
        checks: [],
        queried: true,
        backfill: false,
        failedAudience: null,
        pausedBy: null,
        surge: null,
        loadedAt: null,
        tooOld: false,
      },
    ],
    pausedChannels: new Set(),
    zones: [],
  };
}
