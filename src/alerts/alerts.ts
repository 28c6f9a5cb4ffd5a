/** Alerts of runs: each when it begins and when it is over, not in every run in between. */
import { formatDuration } from "../core/durations.js";
import { instant } from "../core/clock.js";
import { forTarget, targetOption } from "../core/failures.js";
import { scrub } from "../core/redact.js";
import { readAlertState, writeAlertState, type AlertState } from "../ledger/alert-state.js";
import { Ledger } from "../ledger/ledger.js";
import { runHistory } from "../ledger/runs/history.js";
import { returnedRows } from "../ledger/runs/segment-runs.js";
import { isTrial } from "../ledger/trial.js";
import { secretsOf } from "../project/build/secrets.js";
import type { AlertKind, OnAlert, Project, Target } from "../project/types.js";
import type { Warehouse } from "../warehouse/types.js";
import { conditionsOf, isOver, keyOf, ofKey, type Condition, type Observation } from "./conditions.js";
import { alertPayload, tell, type AlertPayload } from "./tell.js";

/** A job without a row is silent only if it had one so recently; ms. */
const RECENTLY_MS = 24 * 3_600_000;

/** Another run holds the ledger: no failure, but if it lasts no run of ours gets through. */
const HELD_LEASE = "ledger/lease";

export interface AlertsIo {
  /** Wall clock, ms since 1970 UTC. */
  now: () => number;
  /** An alert that could not be given; holds no secret. */
  onFailure: (message: string) => void;
  /** An alert that was given, to be logged. */
  onAlert?: (payload: AlertPayload) => void;
}

/**
 * The alerts of one process. What has been told stands in the ledger, so that it holds over restarts; while that can't be
 * reached, this object remembers. An alert that nobody took is given again after the next run.
 */
export class Alerts {
  readonly #io: AlertsIo;
  /** As last known. */
  #state: AlertState = {};
  /** What the ledger doesn't know yet: since when, or null where it is over. */
  readonly #unsaved = new Map<string, string | null>();
  /** When a run last got through to its end, ms. */
  #lastThrough: number | null = null;
  /** One alert at a time: each depends on what was told before. */
  #turn: Promise<void> = Promise.resolve();

  constructor(io: AlertsIo) {
    this.#io = io;
  }

  /** A run got through then, or none was due; ms. */
  sawThrough(at: number | null): void {
    if (at !== null) this.#lastThrough = Math.max(at, this.#lastThrough ?? at);
  }

  /** To be called after every run that may send, before its warehouse is closed (null: it could not be opened). Never rejects. */
  after(observation: Observation, project: Project, warehouse: Warehouse | null): Promise<void> {
    return this.#inTurn(project, (onAlert) => this.#after(observation, project, warehouse, onAlert));
  }

  /** To be called now and then between runs: tells if none gets through, whatever the reason. Never rejects. */
  whileWaiting(project: Project): Promise<void> {
    return this.#inTurn(project, async (onAlert) => {
      const silence = this.#noRun(onAlert);
      if (silence === null || !onAlert.on.includes("silent") || keyOf(silence) in this.#state) return;
      const after = await this.#tell(null, project, onAlert, this.#state, new Map([[keyOf(silence), silence]]), []);
      await this.#keep(this.#state, after, null, project.target);
    });
  }

  #inTurn(project: Project, work: (onAlert: OnAlert) => Promise<void>): Promise<void> {
    const { onAlert } = project.target;
    if (onAlert === null) return Promise.resolve();
    this.#turn = this.#turn
      .then(() => work(onAlert))
      .catch((error: unknown) =>
        this.#io.onFailure(`No alert could be given: ${scrub(error instanceof Error ? error.message : String(error), secretsOf(project))}`),
      );
    return this.#turn;
  }

  async #after(observation: Observation, project: Project, warehouse: Warehouse | null, onAlert: OnAlert): Promise<void> {
    const trial = isTrial(project.target, null);
    const ledger = warehouse === null ? null : new Ledger(warehouse, project.target.schema, this.#io.now);
    const stored = ledger === null ? null : await readAlertState(ledger, trial).catch(() => null);
    // A ledger that can't be read is as good as none.
    const open = stored === null ? null : ledger;
    const ours = observation.went === "wrong" && observation.problems.every(({ code }) => code === HELD_LEASE);
    if (observation.went === "through") this.sawThrough(this.#io.now());
    else if (ours && open !== null) this.sawThrough((await runHistory(open, trial)).lastDecided);
    const before = stored === null ? this.#state : this.#withUnsaved(stored);
    const found = ours ? [] : [...conditionsOf(observation), ...(await this.#noRows(observation, project, open, before))];
    const wrong = new Map(found.filter(({ kind }) => onAlert.on.includes(kind)).map((condition) => [keyOf(condition), condition]));
    const over = ours ? [] : Object.keys(before).filter((key) => !wrong.has(key) && isOver(key, observation, project));
    const after = await this.#tell(observation, project, onAlert, before, wrong, over);
    await this.#keep(before, after, open, project.target);
  }

  #withUnsaved(state: AlertState): AlertState {
    return Object.fromEntries([...new Map([...Object.entries(state), ...this.#unsaved])].filter((entry): entry is [string, string] => entry[1] !== null));
  }

  /** All seems well, but nothing comes: no segment returns a row, where one did. */
  async #noRows(observation: Observation, project: Project, ledger: Ledger | null, before: AlertState): Promise<Condition[]> {
    if (observation.went === "wrong" || ledger === null) return [];
    if (observation.result.decisions.segments.some(({ returned }) => (returned ?? 0) > 0)) return [];
    const silence: Condition = { kind: "silent", code: "no-rows", subject: "run", name: "", message: "No segment returns a row any more." };
    const { last, recently } = await returnedRows(ledger, isTrial(project.target, null), RECENTLY_MS);
    const asked = [...project.segments.values()].filter(({ status }) => status !== "draft");
    return !asked.some(({ id }) => last.has(id)) && (recently || keyOf(silence) in before) ? [silence] : [];
  }

  #noRun({ silentAfterSeconds }: OnAlert): Condition | null {
    const last = this.#lastThrough;
    if (last === null || this.#io.now() - last <= silentAfterSeconds * 1000) return null;
    const message = `No run has got through since ${instant(last)}, for more than ${formatDuration(silentAfterSeconds)}.`;
    return { kind: "silent", code: "no-run", subject: "run", name: "", message };
  }

  /** Tells what began and what is over, a kind at a time; gives the state after it, without what nobody took. */
  async #tell(
    observation: Observation | null,
    project: Project,
    onAlert: OnAlert,
    before: AlertState,
    wrong: ReadonlyMap<string, Condition>,
    over: readonly string[],
  ): Promise<AlertState> {
    const at = instant(this.#io.now());
    const secrets = secretsOf(project);
    const began = [...wrong.keys()].filter((key) => !(key in before));
    const after = new Map(Object.entries(before));
    for (const [state, keys] of [["began", began] as const, ["ended", over] as const]) {
      for (const kind of new Set(keys.map((key) => ofKey(key).kind))) {
        const ofKind = keys.filter((key) => ofKey(key).kind === kind);
        const payload = alertPayload({
          alert: kind,
          state,
          at,
          project: project.name,
          target: project.target.name,
          run_id: observation?.went === "through" ? observation.result.runId : null,
          items: ofKind.map((key) => {
            const { subject, name, code } = ofKey(key);
            const message = wrong.get(key)?.message;
            return {
              subject,
              name: name === "" ? null : name,
              code,
              message: message === undefined ? null : forTarget(scrub(message, secrets), targetOption(project.target)),
              since: before[key] ?? at,
            };
          }),
        });
        if (await this.#given(onAlert, kind, payload, project.root)) {
          for (const key of ofKind) {
            if (state === "began") after.set(key, at);
            else after.delete(key);
          }
        }
      }
    }
    return Object.fromEntries(after);
  }

  /** True once it need not be said again. What is over and no longer wanted needs no telling. */
  async #given(onAlert: OnAlert, kind: AlertKind, payload: AlertPayload, root: string): Promise<boolean> {
    if (!onAlert.on.includes(kind)) return true;
    const { reached, failures } = await tell(onAlert, payload, root);
    for (const failure of failures) this.#io.onFailure(`Alert ${payload.alert} (${payload.state}): ${failure}.`);
    if (reached) this.#io.onAlert?.(payload);
    return reached;
  }

  async #keep(before: AlertState, after: AlertState, ledger: Ledger | null, target: Target): Promise<void> {
    this.#state = after;
    if (ledger === null) {
      for (const key of Object.keys(before)) if (!(key in after)) this.#unsaved.set(key, null);
      for (const [key, since] of Object.entries(after)) if (!(key in before)) this.#unsaved.set(key, since);
      return;
    }
    if (this.#unsaved.size > 0 || JSON.stringify(before) !== JSON.stringify(after)) await writeAlertState(ledger, isTrial(target, null), after);
    this.#unsaved.clear();
  }
}
