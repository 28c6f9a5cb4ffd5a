/**
 * What must hold of any ledger whatever decided it: read from the appended rows, the outcomes and the world alone, without a
 * line of the model. Each broken promise is one sentence.
 */
import { REASONS } from "../../src/arbitration/reasons.js";
import type { Cap, Channel, Segment, Step, Treatment } from "../../src/project/types.js";
import { isReopened, type ClaimOutcome, type DecidedRow, type WorldRow, type WorldRun } from "./world.js";

interface Claim {
  row: DecidedRow;
  segment: Segment;
  at: number;
  run: number;
  address: string;
  outcome: ClaimOutcome;
}

/** Which events each reason may come with. */
const EVENTS = new Map(REASONS.map(({ name, event, ending }): [string, readonly string[]] => [name, [event, ...(ending === null ? [] : [ending])]]));

/** Watches a story's runs one after another: live runs among themselves, trials beside all that was before. */
export class Invariants {
  readonly #live = new Watch(() => true);
  readonly #all = new Watch((run) => run.trial === true);

  get broken(): string[] {
    return [...this.#live.broken, ...this.#all.broken];
  }

  after(run: WorldRun, appended: readonly DecidedRow[]): void {
    for (const asOf of run.forget ?? []) for (const watch of [this.#live, this.#all]) watch.forget(asOf, Date.parse(run.asOf));
    if (run.trial !== true) this.#live.after(run, appended);
    this.#all.after(run, appended);
  }
}

/** Holds the runs that it judges against all that it was shown. */
class Watch {
  readonly #judges: (run: WorldRun) => boolean;
  readonly broken: string[] = [];
  private claims: Claim[] = [];
  private rows: { row: DecidedRow; run: number; reopened: boolean }[] = [];
  /** By message: its last row, unless that was reopened. */
  private last = new Map<string, DecidedRow>();
  private readonly backfilled = new Map<string, { at: number; run: number }>();
  private runs = 0;
  /** Those not forgotten. */
  private readonly asOf = new Map<number, string>();

  constructor(judges: (run: WorldRun) => boolean) {
    this.#judges = judges;
  }

  after(run: WorldRun, appended: readonly DecidedRow[]): void {
    this.runs += 1;
    this.asOf.set(this.runs, run.asOf);
    for (const row of appended) {
      this.last.set(messageOf(row), row);
      if (!(EVENTS.get(row.reason) ?? []).includes(row.event)) this.breaks(run, row, `${row.event} can't have the reason ${row.reason}`);
      if (row.event === "backfilled") this.backfilled.set(behaviourOf(row), { at: Date.parse(run.asOf), run: this.runs });
    }
    const claimed = appended.filter((row) => row.event === "claimed" || row.event === "held_out");
    const now = claimed.map((row) => this.claimOf(run, row));
    for (const claim of now) {
      this.checkOnce(run, claim);
      this.checkGoal(run, claim);
      this.checkWindow(run, claim);
    }
    this.checkOnePerRun(run, now);
    this.claims.push(...now);
    for (const claim of now) this.checkCaps(run, claim);
    for (const claim of now) {
      if (claim.row.event === "claimed") claim.outcome = run.outcome?.(claim.row) ?? "accepted";
      if (isReopened(claim.outcome)) this.last.delete(messageOf(claim.row));
    }
    const reopened = new Set(now.filter((claim) => isReopened(claim.outcome)).map((claim) => claim.row));
    this.rows.push(...appended.map((row) => ({ row, run: this.runs, reopened: reopened.has(row) })));
    if (this.#judges(run)) this.checkExplained(run);
  }

  /** Of the last run as of then, what left the house stays, as of `at` (ms); nothing else does. */
  forget(asOf: string, at: number): void {
    const number = [...this.asOf].findLast(([, each]) => each === asOf)?.[0];
    if (number === undefined) return;
    this.asOf.delete(number);
    const stays = this.claims.filter(
      ({ run, row, outcome }) => run === number && row.event === "claimed" && (outcome === "accepted" || outcome === "in_doubt"),
    );
    const kept = new Set(stays.map(({ row }) => row));
    const behaviours = new Set(stays.map(({ row }) => behaviourOf(row)));
    this.claims = this.claims.filter(({ run, row }) => run !== number || kept.has(row));
    for (const claim of stays) claim.at = at;
    this.rows = this.rows.filter(({ run, row }) => run !== number || kept.has(row));
    this.last = new Map();
    for (const { row, reopened } of this.rows) {
      if (reopened) this.last.delete(messageOf(row));
      else this.last.set(messageOf(row), row);
    }
    for (const [behaviour, { run }] of this.backfilled) {
      if (run !== number) continue;
      if (behaviours.has(behaviour)) this.backfilled.set(behaviour, { at, run });
      else this.backfilled.delete(behaviour);
    }
  }

  private breaks(run: WorldRun, row: DecidedRow, promise: string): void {
    if (!this.#judges(run)) return;
    this.broken.push(`${run.asOf}: ${promise}: ${JSON.stringify(row)}`);
  }

  private claimOf(run: WorldRun, row: DecidedRow): Claim {
    const segment = run.project.segments.get(row.segment);
    const channel = run.project.channels.get(row.channel);
    if (segment === undefined || channel === undefined) throw new Error(`A claim of nothing known: ${JSON.stringify(row)}`);
    const world = newestRow(run, segment, row);
    const address = world === null ? "" : addressIn(world, channel);
    return { row, segment, at: Date.parse(run.asOf), run: this.runs, address, outcome: "accepted" };
  }

  private checkOnce(run: WorldRun, { row, segment }: Claim): void {
    const earlier = this.claims.filter((each) => each.row.segment === row.segment && each.row.user_id === row.user_id && each.row.key === row.key);
    const standing = earlier.filter((each) => !isReopened(each.outcome));
    if (standing.some((each) => messageOf(each.row) === messageOf(row))) this.breaks(run, row, "claimed twice");
    const others = standing.filter((each) => each.row.occurred_at !== row.occurred_at);
    if (segment.repeat.kind === "never" && others.some(counted)) this.breaks(run, row, "a second journey under repeat: never");
    if (others.some((each) => Date.parse(row.occurred_at) <= each.at && each.row.occurred_at < row.occurred_at)) {
      this.breaks(run, row, "a new journey from a behaviour no later than the last claim");
    }
  }

  private checkGoal(run: WorldRun, { row, segment }: Claim): void {
    if (segment.goal === null) return;
    const goals = run.audiences[segment.goal.audience] ?? [];
    if (goals === "failed") return this.breaks(run, row, "claimed although the goal's audience failed");
    const reached = goals.some(({ user_id, occurred_at }) => {
      if (user_id !== row.user_id) return false;
      return typeof occurred_at !== "string" || (occurred_at > row.occurred_at && occurred_at <= run.asOf);
    });
    if (reached) this.breaks(run, row, "claimed after the goal");
  }

  private checkWindow(run: WorldRun, { row, segment, at }: Claim): void {
    const step = segment.steps.find((each) => each.name === row.step);
    const version = step === undefined ? undefined : versionNamed(step, row.variant);
    if (version === undefined) return this.breaks(run, row, "claimed for a step or variant that isn't there");
    const from = this.backfilled.get(behaviourOf(row))?.at ?? Date.parse(row.occurred_at);
    const due = from + version.afterSeconds * 1000;
    if (Date.parse(row.due_at) !== due) this.breaks(run, row, "due_at isn't the behaviour plus after");
    if (at < due) this.breaks(run, row, "claimed before it was due");
    if (at >= due + version.withinSeconds * 1000) this.breaks(run, row, "claimed after its window");
    if (row.channel !== version.channel) this.breaks(run, row, "claimed on another channel than the step's");
  }

  private checkOnePerRun(run: WorldRun, now: readonly Claim[]): void {
    const seen = new Set<string>();
    for (const { row, segment, address } of now) {
      if (segment.class === "transactional") continue;
      for (const who of [`user ${row.user_id}`, `address ${address}`]) {
        if (seen.has(who)) this.breaks(run, row, `a second marketing message in one run for ${who}`);
        seen.add(who);
      }
    }
  }

  private checkCaps(run: WorldRun, claim: Claim): void {
    if (claim.segment.class === "transactional") return;
    const { caps, spacingSeconds } = run.project.policy;
    const all = spacingSeconds === null ? caps : [...caps, spacingAsCap(spacingSeconds)];
    for (const cap of all.filter((each) => matches(each, claim))) {
      const inWindow = this.claims.filter(
        (each) => each.segment.class === "marketing" && counted(each) && matches(cap, each) && each.at > claim.at - cap.windowSeconds * 1000,
      );
      const ofUser = inWindow.filter((each) => each.row.user_id === claim.row.user_id);
      const atAddress = inWindow.filter((each) => each.address === claim.address);
      if (Math.max(ofUser.length, atAddress.length) > cap.max) this.breaks(run, claim.row, `more than ${cap.name}`);
    }
  }

  /** A plain fresh behaviour that is due and within its window has its row, of now or of earlier. */
  private checkExplained(run: WorldRun): void {
    for (const segment of run.project.segments.values()) {
      const rows = run.rows[segment.id] ?? [];
      if (rows === "failed" || segment.status === "draft" || run.select?.includes(segment.id) === false) continue;
      for (const world of rows) this.checkRow(run, segment, world);
    }
  }

  private checkRow(run: WorldRun, segment: Segment, world: WorldRow): void {
    const { user_id, occurred_at } = world;
    const key = segment.key === null ? "" : world.key;
    if (user_id === null || occurred_at === null || key === null || key === undefined || occurred_at > run.asOf) return;
    const of = { segment: segment.id, user_id, key, occurred_at };
    if (newestRow(run, segment, of) !== world || this.backfilled.has(behaviourOf(of))) return;
    const history = this.rows.filter(({ row }) => row.segment === segment.id && row.user_id === user_id && row.key === key);
    if (history.some(({ row }) => row.event === "claimed" || row.event === "held_out" || row.reason === "baseline")) return;
    for (const step of segment.steps.filter((each) => each.variants.length === 0)) {
      const due = Date.parse(occurred_at) + step.afterSeconds * 1000;
      const at = Date.parse(run.asOf);
      if (at < due || at >= due + step.withinSeconds * 1000) continue;
      const last = this.last.get(messageOf({ ...of, step: step.name }));
      if (last === undefined || last.event === "left") {
        this.broken.push(`${run.asOf}: no row explains ${JSON.stringify({ ...of, step: step.name })}`);
      }
    }
  }
}

type Behaviour = Pick<DecidedRow, "segment" | "user_id" | "key" | "occurred_at">;

function behaviourOf({ segment, user_id, key, occurred_at }: Behaviour): string {
  return JSON.stringify([segment, user_id, key, occurred_at]);
}

function messageOf(row: Behaviour & Pick<DecidedRow, "step">): string {
  return JSON.stringify([row.step, behaviourOf(row)]);
}

function counted({ outcome }: Claim): boolean {
  return outcome !== "failed" && outcome !== "invalid" && !isReopened(outcome);
}

function spacingAsCap(windowSeconds: number): Cap {
  return { name: "one per spacing", max: 1, windowSeconds, channel: null, topic: null };
}

function matches(cap: Cap, { row, segment }: Claim): boolean {
  return (cap.channel === null || cap.channel === row.channel) && (cap.topic === null || cap.topic === segment.topic);
}

function versionNamed(step: Step, variant: string): Treatment | undefined {
  return step.variants.length === 0 && variant === "" ? step : step.variants.find((each) => each.name === variant);
}

function newestRow(run: WorldRun, segment: Segment, of: Pick<DecidedRow, "user_id" | "key">): WorldRow | null {
  const rows = run.rows[segment.id] ?? [];
  let newest: WorldRow | null = null;
  for (const row of rows === "failed" ? [] : rows) {
    if (row.user_id !== of.user_id || row.occurred_at === null || row.occurred_at > run.asOf) continue;
    if (segment.key !== null && row.key !== of.key) continue;
    if (newest === null || row.occurred_at > (newest.occurred_at ?? "")) newest = row;
  }
  return newest;
}

function addressIn(row: WorldRow, { type }: Channel): string {
  if (type === "in_app" || type === "webhook") return row.user_id ?? "";
  if (type === "email") return (row.email ?? "").trim().toLowerCase();
  return ((type === "sms" ? row.phone : row.device_token) ?? "").trim();
}
