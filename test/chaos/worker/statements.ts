/** Names for the statements of a run, told by their text, so that a test can say where it strikes. */

const KINDS: readonly (readonly [string, RegExp])[] = [
  ["begin", /^begin\b/i],
  ["commit", /^commit$/i],
  ["rollback", /^rollback$/i],
  ["take lease", /^update .*"leases" set .*"fence" = fence \+ 1/is],
  ["release lease", /^update .*"leases" set "holder" = /is],
  ["renew lease", /^update .*"leases" set "expires_at" = /is],
  ["record run start", /^insert into .*"runs" \(/is],
  ["record run end", /^update .*"runs" set .*"finished_at"/is],
  ["recover", /^(?:--[^\n]*\n)*insert into [^(]*sent_ledger.*\bunfinished\b/is],
  ["append decisions", /^(?:--[^\n]*\n)*insert into [^(]*sent_ledger.*\bd\.changed = 1/is],
  ["append events", /^(?:--[^\n]*\n)*insert into [^(]*sent_ledger.*outcomes_/is],
  ["append segment runs", /^insert into .*"segment_runs" \(/is],
  ["stage segment", /^(?:--[^\n]*\n)*insert into [^(]*segment_rows/is],
  ["stage audience", /^(?:--[^\n]*\n)*insert into [^(]*audience_members/is],
  ["arbitrate", /^(?:--[^\n]*\n)*insert into [^(]*decisions_/is],
  ["fill outcomes", /^(?:insert into|append to) [^(]*outcomes/is],
  ["read claims", /^(?:declare|fetch|(?:select \*, false as opportune_last_row from \()?(?:--[^\n]*\n)*select d\.place)/is],
  ["create work tables", /^create .*table/is],
];

/** `other` for what no test strikes by name. */
function labelOf(sql: string): string {
  const text = sql.trim();
  return KINDS.find(([, pattern]) => pattern.test(text))?.[0] ?? "other";
}

/** Labels of one run's statements; a commit is named after the first thing that its transaction wrote: `commit append events`. */
export class Labels {
  readonly all: string[] = [];
  /** Null outside a transaction. */
  #wrote: string | null = null;

  /** Some begin their transaction in the same request, and are named after what follows. */
  next(sql: string): string {
    const [, joined] = /^\s*begin transaction;\s*(\S[^]*)/i.exec(sql) ?? [];
    if (joined !== undefined) this.#wrote = "";
    const label = labelOf(joined ?? sql);
    const named = label === "commit" ? `commit ${this.#wrote ?? ""}` : label;
    if (label === "begin") this.#wrote = "";
    else if (label === "commit" || label === "rollback") this.#wrote = null;
    else if (this.#wrote === "" && /^(?:append|record|recover)/.test(label)) this.#wrote = label;
    this.all.push(named);
    return named;
  }
}
