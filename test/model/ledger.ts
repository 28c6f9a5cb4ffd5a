/** The model's ledger: an array of rows, indexed by person and by address so that a story of thousands of rows stays quick. */
import { isReopened, type ClaimOutcome, type DecidedRow } from "../support/world.js";

/** One row. Instants are ms since 1970 UTC. */
export interface LedgerRow {
  /** The number of the run that decided it. */
  run: number;
  segment: string;
  step: string;
  user: string;
  key: string;
  /** The anchor in a journey, else the behaviour time of the returned row. */
  behaviour: number;
  event: DecidedRow["event"] | "released";
  reason: string;
  rule: string;
  /** What the steps count from. */
  from: number;
  due: number;
  variant: string;
  /** On claims and hold-outs of steps with variants; else empty. */
  factor: string;
  channel: string;
  /** On claims alone: until when the message may be handed over; null for every other row. */
  sendBy: number | null;
  decidedAt: number;
  /** Normalised; on claims and hold-outs alone. */
  address: string;
  topic: string | null;
  marketing: boolean;
  /** What became of a claim; null for every other row, and until it is known. */
  outcome: ClaimOutcome | null;
}

/** A claim or a hold-out: the rules say "claim" for both. */
export function isClaim(row: Pick<LedgerRow, "event">): boolean {
  return row.event === "claimed" || row.event === "held_out";
}

/** Not reopened: it begins and anchors a journey. Failed and invalid claims stand. */
export function stands(row: LedgerRow): boolean {
  return isClaim(row) && !isReopened(row.outcome);
}

/** Neither failed nor invalid nor reopened: caps, spacing and `repeat` see it. */
export function counts(row: LedgerRow): boolean {
  return stands(row) && row.outcome !== "failed" && row.outcome !== "invalid";
}

/** Handed to the provider, which didn't refuse it: a message in doubt may have arrived. */
function left(row: LedgerRow): boolean {
  return row.event === "claimed" && (row.outcome === "accepted" || row.outcome === "in_doubt");
}

/** A claim that stays of a forgotten run: as if decided at `at` (ms), from where a journey counts that this run backfilled. */
function moved(row: LedgerRow, at: number): LedgerRow {
  const backfilled = row.from === row.decidedAt && row.from !== row.behaviour;
  return { ...row, decidedAt: at, ...(backfilled ? { from: at, due: at + row.due - row.from } : {}), run: Number.NaN };
}

export class Ledger {
  rows: LedgerRow[] = [];
  /** By segment, then by user and key. */
  private readonly persons = new Map<string, Map<string, LedgerRow[]>>();
  private readonly userClaims = new Map<string, LedgerRow[]>();
  private readonly addressClaims = new Map<string, LedgerRow[]>();

  append(row: LedgerRow): void {
    this.rows.push(row);
    const persons = this.persons.get(row.segment) ?? new Map<string, LedgerRow[]>();
    this.persons.set(row.segment, persons);
    put(persons, JSON.stringify([row.user, row.key]), row);
    if (!isClaim(row)) return;
    put(this.userClaims, row.user, row);
    put(this.addressClaims, row.address, row);
  }

  /** Leaves the rows as a release that knew no factor would have. */
  forgetFactors(): void {
    for (const row of this.rows) row.factor = "";
  }

  /** Takes a run back at `at` (ms): only claims of messages that left the house stay. */
  forget(run: number, at: number): void {
    const all = this.rows;
    this.rows = [];
    for (const index of [this.persons, this.userClaims, this.addressClaims]) index.clear();
    for (const row of all) if (row.run !== run) this.append(row);
    for (const row of all) if (row.run === run && left(row)) this.append(moved(row, at));
  }

  /** Every row of one segment, user and key, oldest first. */
  of(segment: string, user: string, key: string): readonly LedgerRow[] {
    return this.persons.get(segment)?.get(JSON.stringify([user, key])) ?? [];
  }

  /** Each (user, key) that has a row in the segment, with all its rows, oldest first. */
  personsOf(segment: string): { user: string; key: string; past: readonly LedgerRow[] }[] {
    return [...(this.persons.get(segment)?.values() ?? [])].flatMap((rows) => {
      const [first] = rows;
      return first === undefined ? [] : [{ user: first.user, key: first.key, past: rows }];
    });
  }

  claimsOfUser(user: string): readonly LedgerRow[] {
    return this.userClaims.get(user) ?? [];
  }

  claimsAtAddress(address: string): readonly LedgerRow[] {
    return this.addressClaims.get(address) ?? [];
  }
}

function put(index: Map<string, LedgerRow[]>, name: string, row: LedgerRow): void {
  const rows = index.get(name);
  if (rows === undefined) index.set(name, [row]);
  else rows.push(row);
}
