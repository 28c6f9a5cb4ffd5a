/** What one sees of an outage: three runs for each way to fail and each number of messages a run. docs/delivery.md has the rules. */
import type { Way } from "./down.js";

const FAILED = "failed began delivery/failures";
const UNAVAILABLE = "failed began delivery/provider-unavailable";
const REFUSED = "failed began delivery/channel-stopped";
const DOUBTS = "held began delivery/in-doubt";

type Rows = Readonly<Record<1 | 4 | 40 | 4_000, readonly string[]>>;

/** Nothing of it was taken: tried again by each run, and by one message a run once the channel has stopped. */
const RELEASED: Rows = {
  1: [`exit 1; ${FAILED}; 1 released`, "exit 1; no alert; 2 released", `exit 1; ${UNAVAILABLE}; 3 released, stopped`],
  4: [`exit 1; ${FAILED}; 4 released`, `exit 1; ${UNAVAILABLE}; 8 released, stopped`, "exit 1; no alert; 12 released, stopped"],
  40: [`exit 1; ${UNAVAILABLE}; 40 released, stopped`, "exit 1; no alert; 80 released, stopped", "exit 1; no alert; 120 released, stopped"],
  4_000: [`exit 1; ${UNAVAILABLE}; 4000 released, stopped`, "exit 1; no alert; 8000 released, stopped", "exit 1; no alert; 12000 released, stopped"],
};

/** Nobody knows: held, and no more of them than it takes to see that the provider fails. */
const IN_DOUBT: Rows = {
  1: [`exit 1; ${FAILED} + ${DOUBTS}; 1 in doubt`, `exit 1; ${DOUBTS}; 1 in doubt`, `exit 1; ${DOUBTS}; 1 in doubt`],
  4: [
    `exit 1; ${FAILED} + ${DOUBTS}; 4 in doubt`,
    `exit 1; ${UNAVAILABLE} + ${DOUBTS}; 4 in doubt, stopped`,
    `exit 1; ${DOUBTS}; 1 in doubt, 3 released, stopped`,
  ],
  40: [
    `exit 1; ${UNAVAILABLE} + ${DOUBTS}; 6 in doubt, 34 released, stopped`,
    `exit 1; ${DOUBTS}; 1 in doubt, 73 released, stopped`,
    `exit 1; ${DOUBTS}; 1 in doubt, 112 released, stopped`,
  ],
  4_000: [
    `exit 1; ${UNAVAILABLE} + ${DOUBTS}; 6 in doubt, 3994 released, stopped`,
    `exit 1; ${DOUBTS}; 1 in doubt, 7993 released, stopped`,
    `exit 1; ${DOUBTS}; 1 in doubt, 11992 released, stopped`,
  ],
};

/** Fewer than five alike are settled; then the channel waits an hour for a person. */
const REJECTED: Rows = {
  1: ["exit 0; no alert; 1 failed", "exit 0; no alert; 1 failed", "exit 0; no alert; 1 failed"],
  4: ["exit 0; no alert; 4 failed", `exit 1; ${REFUSED}; 4 released, stopped`, "exit 1; no alert; 8 paused"],
  40: [`exit 1; ${REFUSED}; 40 released, stopped`, "exit 1; no alert; 80 paused", "exit 1; no alert; 120 paused"],
  4_000: [`exit 1; ${REFUSED}; 4000 released, stopped`, "exit 1; no alert; 8000 paused", "exit 1; no alert; 12000 paused"],
};

export const OUTAGES: Readonly<Record<Way, Rows>> = {
  down: RELEASED,
  hangs: IN_DOUBT,
  "502": IN_DOUBT,
  "500": RELEASED,
  "400": REJECTED,
  "200 with a web page": IN_DOUBT,
};
