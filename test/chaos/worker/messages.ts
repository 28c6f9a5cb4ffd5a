/** What the tests and their child processes say to each other. */

/** Where in a statement: before it is handed to the driver, while the warehouse works on it, once its answer is here. */
export type Phase = "before" | "during" | "after";

/** What befalls the run at a statement. */
export interface Order {
  /** Which statements count (see statements.ts); null: all. */
  label: string | null;
  /** The n-th of them in the job, from 1. */
  nth: number;
  phase: Phase;
  /** `kill`: SIGKILL to itself. `report`: tells the test, and waits for its word. `interrupt`: DuckDB's, amid the statement. */
  act: "kill" | "report" | "interrupt";
  /** `during`: ms between the statement's start and what befalls it. */
  spinMs?: number;
}

/** One whole run. */
export interface Job {
  /** Folder of the project. */
  root: string;
  /** Claims read and rendered together, so that a small shop has several batches. */
  batch: number;
  orders: readonly Order[];
  /** A file with the ms by which this host's clock is ahead of the wall's, from when it exists; null: the wall's own. */
  clock: string | null;
}

export interface Outcome {
  ok: boolean;
  /** Of a run that ended with an error: the first problem's. */
  code: string | null;
  /** The error as one text, hints left out; or of a run that ended well its problems. */
  message: string | null;
  runId: string | null;
  recovered: { released: number; inDoubt: number } | null;
  claims: number;
  accepted: number;
  inDoubt: number;
  /** Labels of the job's statements, in order. */
  statements: string[];
  ms: number;
}

export type ToWorker = { kind: "job"; job: Job } | { kind: "go" };
export type FromWorker = { kind: "ready" } | { kind: "reached"; label: string } | { kind: "done"; outcome: Outcome };
