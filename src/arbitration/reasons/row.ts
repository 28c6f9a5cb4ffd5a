/** What there is to know of a reason: the columns of the rows in ../reasons.ts. */

export type DecisionEvent = "claimed" | "held_out" | "settled" | "denied" | "waiting" | "left" | "backfilled";

/** How a value of `detail` is told to people. `length`: seconds; `time`: ISO 8601 UTC; `message`: a message's id. */
export type DetailKind = "text" | "number" | "length" | "time" | "message";

/** Whom or what the reason is a fact about. */
export type Concern = "message" | "journey" | "user" | "address" | "segment" | "run";

/** What the `rule` of a reason names. */
export type RuleNames = "column" | "audience" | "cap" | "reason" | "scope" | "why";

export interface Reason {
  /** Of the ledger's column `reason`, of the file sql/arbitrate/reasons/NAME.sql, and of the section in docs/reasons.md. */
  name: string;
  /** Place among the rules of docs/decisions.md, from 1: of the reasons that bite, the least is the answer. Null: of no candidate. */
  place: number | null;
  event: DecisionEvent;
  /** Added to the message's sums in the ledger: above 0 it is settled, and counts for caps, spacing and repeat. */
  settles: 0 | 1;
  counts: 0 | 1;
  /** The event where it ends a step that is not a candidate; null: it ends none. */
  ending: "settled" | "left" | "backfilled" | null;
  concerns: Concern;
  /** The reason whose place it takes where both bite; null: it has its own alone. */
  insteadOf: string | null;
  /** Doesn't bite transactional messages. */
  marketingOnly: boolean;
  /** Asked in line, of the candidates that all earlier reasons leave; others are asked of each candidate alone. */
  inLine: boolean;
  /** A step that it stops is open still: it supersedes the earlier steps of its journey. */
  supersedes: boolean;
  /** Ends the journey: nothing more comes of its behaviour. */
  endsJourney: boolean;
  /** The scheduler asks the segment again at the next tick, whatever its `every` says. */
  askAgain: boolean;
  /** A guard holds candidates back until data or somebody's word changes. The way out, an imperative; {segment} is its id. */
  guard: string | null;
  /** What ends the wait, after "waits until"; '' where it doesn't wait. */
  until: string;
  /** What `rule` names; null: `rule` is ''. */
  rule: RuleNames | null;
  /** Keys of `detail`, in order. */
  detail: Readonly<Record<string, DetailKind>>;
  /** A heading in stories. */
  title: string;
  /** For the view `why`; {rule} is the row's. */
  words: string;
  /** In place of `words`, by rule. */
  wordsOf: Readonly<Record<string, string>>;
  /** What follows `words` and a colon: {key} of detail; a part in brackets is left out where one of its keys is null. */
  numbers: string;
  /** What it means, for docs/reasons.md; its first sentence for README.md. */
  means: string;
  /** What follows, for the docs. */
  then: string;
  /** What to do about it, for docs/reasons.md; '' where there is nothing. */
  remedy: string;
}

type Given = "concerns" | "words" | "means";
type Row = Pick<Reason, Given> & Partial<Omit<Reason, Given | "name" | "place" | "event" | "settles" | "counts">>;
/** Without its place, which is its place in the list. */
export type PlacelessReason = Omit<Reason, "place">;

const NOTHING = {
  ...{ ending: null, insteadOf: null, marketingOnly: false, inLine: false, supersedes: false, endsJourney: false, askAgain: false, guard: null },
  ...{ until: "", rule: null, detail: {}, wordsOf: {}, numbers: "", remedy: "" },
} as const;

/** Over for this behaviour. */
export function settled(name: string, row: Row): PlacelessReason {
  return { ...NOTHING, name, event: "settled", settles: 1, counts: 0, title: "Not sent", then: "settled", ...row };
}

/** Not to be sent as things are; asked again in the next run. */
export function denied(name: string, row: Row): PlacelessReason {
  return { ...NOTHING, name, event: "denied", settles: 0, counts: 0, title: "Not sent", then: "asked again", ...row };
}

/** Held back for now; offered again in the next run. */
export function waiting(name: string, row: Row & { until: string }): PlacelessReason {
  return { ...NOTHING, name, event: "waiting", settles: 0, counts: 0, title: "Waited", then: `waits until ${row.until}`, supersedes: true, ...row };
}

/** Somebody hears from us, or would but for a holdout. */
export function taken(name: "claimed" | "held_out", row: Row): PlacelessReason {
  return { ...NOTHING, name, event: name, settles: 1, counts: 1, title: "", then: "settled", supersedes: true, ...row };
}

/** Said of a step that is not a candidate. */
export function ended(name: "left" | "backfilled", row: Row & { then: string }): PlacelessReason {
  return { ...NOTHING, name, event: name, ending: name, settles: 0, counts: 0, title: "", ...row };
}
