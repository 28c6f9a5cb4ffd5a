/** The model's ledger: an array of rows, indexed by person and by address so that a story of thousands of rows stays quick. */
import { isReopened, type ClaimOutcome, type DecidedRow } from "../support/world.js";

/** One row. Instants are ms since 1970 UTC. */
export interface LedgerRow {
  segment: string;
  step: string;
  user: string;
  key: string;
  /** The anchor in a journey, else the behaviour time of the returned row. */
  behaviour: number;
  event: DecidedRow["event"] | "released";
  reason: string;
  rule: string;
  due: number;
  variant: string;
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

export class Ledger {
  readonly rows: LedgerRow[] = [];
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
