/** The rules in words: docs/lint.md and `opportune lint` say them. */
import { LINT_RULES, type LintRule } from "../schema/lint-rules.js";

interface Rule {
  /** What is wrong. */
  finds: string;
  /** Why that matters. */
  why: string;
  /** What to do about it. */
  instead: string;
}

export const RULES: Readonly<Record<LintRule, Rule>> = {
  "no-goal": {
    finds: "a marketing segment without `goal`",
    why: "It goes on writing to people who have done what it asks for, and nothing says whether it works.",
    instead: "Name the audience that they are to reach: `goal: ordered`.",
  },
  "no-exclusions": {
    finds: "a marketing segment without `exclude`, where `policy` excludes nobody either",
    why: "Somebody always should hear nothing: who waits for support, who works for you, who has just been written to by hand.",
    instead: "Name an audience under `exclude` of the segment, or of `policy` for all of them.",
  },
  "no-time-bound": {
    finds: "SQL that compares nothing with `{{ago …}}` or `{{as_of}}`, or has no earliest time",
    why: "Every run reads the whole history, and a behaviour of years ago looks like one of today.",
    instead: 'Add a condition such as `where updated_at > {{ago "3 days"}}`, a day longer than the last `after` and `within` together.',
  },
  "own-clock": {
    finds: "SQL that asks the warehouse what time it is: `now()`, `current_date`, `current_timestamp`, `getdate()`, `sysdate` and the like",
    why: "A run decides as of one time, and `--as-of` of another: the query would answer for a third.",
    instead: 'Write `{{as_of}}` for the time, `cast({{as_of}} as date)` for the day, and `{{ago "7 days"}}` for a time before it.',
  },
  "no-property": {
    finds: "a template that uses no column of the query beyond name, address and locale, nor `occurred_at`",
    why: "It says nothing of what the reader did, so it could have been sent to anybody, at any time.",
    instead: "Begin with the context: the cart's items, the step they stopped at, the plan.",
  },
  "several-actions": {
    finds: "an email with more than one call to action: buttons, or in their absence links, that lead to different places",
    why: "Each further choice makes the first less likely, and the reader has to find out what is wanted.",
    instead: "Keep the one that the segment's goal asks for, and make the others plain links or leave them out.",
  },
  "generic-subject": {
    finds: "a subject without any property, every word of which could head any email of anybody",
    why: "It is the one line that everybody reads, and it says nothing.",
    instead: 'Name the thing: `subject: "Your cart: {{item_count}} items"`, or the step, the plan, the date.',
  },
  "exact-time": {
    finds: "in marketing, the hour and minute of what somebody did, or a timestamp printed without `date`",
    why: "To the minute feels watched; a raw timestamp reads like a log.",
    instead: 'Write the day, `{{date occurred_at "long"}}`, or no time at all.',
  },
  "no-unsubscribe": {
    finds: "a marketing email that doesn't link to `{{unsubscribe_url}}`, or is really sent while `links.unsubscribe_url` is not set",
    why: "Who can't leave complains instead, and the law and the mailbox providers ask for it.",
    instead: "Put the link into the layout's footer, where every email has it, and set `links.unsubscribe_url`.",
  },
  "no-postal-address": {
    finds: "a marketing email without a postal address in its text",
    why: "Laws on commercial email, CAN-SPAM and Canada's CASL among them, ask for the sender's; filters and readers look for it.",
    instead: "Put it into the layout's footer, in an `<address>` element, or as a value whose name has `address` in it.",
  },
  "unencoded-link": {
    finds: "a value in the query of a link, written without `url`",
    why: "An & or a # in the value ends it, and a blank breaks the link: the reader lands elsewhere.",
    instead: "Write `?q={{url query}}`.",
  },
  clipped: {
    finds: "an email whose HTML has more than 102,400 bytes before any value is filled in",
    why: "Gmail cuts it off there, with the way to unsubscribe and the pixel that counts opens in the part that nobody sees.",
    instead: "Take out style sheets' unused rules, and put pictures behind links instead of into the HTML.",
  },
  "crowded-audience": {
    finds: "more live marketing segments with the same `goal` and `signal` than a user may hear messages",
    why: "They are after the same people for the same thing: the last ones never get their turn, or the reader gets too much.",
    instead: "Make steps or variants of one segment out of them, or pause the weakest.",
  },
  "first-run-over": {
    finds: "`first_run: send` in a segment that has run before, as the target's ledger says",
    why: "It counts in a first run alone. Copied to another file or target, it writes to everybody who qualifies there.",
    instead: "Take `first_run` out. `opportune run --backfill SEGMENT` lifts a baseline when you mean to.",
  },
};

/** The rows of docs/lint.md. */
export function ruleTable(): string[][] {
  return LINT_RULES.map((rule) => [`\`${rule}\``, RULES[rule].finds, RULES[rule].why, RULES[rule].instead]);
}
