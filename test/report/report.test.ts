import pc from "picocolors";
import { describe, expect, it } from "vitest";
import type { RunResult } from "../../src/run/types.js";
import { compiledSql } from "../../src/report/artefacts.js";
import { errorLines } from "../../src/report/error-lines.js";
import { inWords } from "../../src/report/explain.js";
import { stepLines } from "../../src/report/run-lines.js";
import { audienceListing } from "../../src/report/listing.js";
import { runSummary } from "../../src/report/run-summary.js";
import type { StoryEvent } from "../../src/report/story.js";
import { table, visible } from "../../src/report/tables.js";
import { OpportuneError } from "../../src/core/errors.js";

const plain = pc.createColors(false);

function event(changes: Partial<StoryEvent>): StoryEvent {
  return {
    segment: "cart",
    step: "nudge",
    key: "",
    occurredAt: "2026-03-02T11:00:00Z",
    dueAt: null,
    expiresAt: null,
    decidedAt: "2026-03-02T12:00:00Z",
    recordedAt: "2026-03-02T12:00:01Z",
    event: "waiting",
    reason: "cap",
    rule: "",
    channel: "email",
    messageId: "m1",
    runId: "r1",
    detail: {},
    explanation: "waits",
    providerId: null,
    variant: null,
    template: null,
    templateVersion: null,
    ...changes,
  };
}

describe("a reason in words", () => {
  const names = new Map([["w1", "welcome hello"]]);
  it.each<[Partial<StoryEvent>, string]>([
    [{ reason: "cap", detail: { used: 2, max: 2, window_seconds: 172_800 } }, "waits: 2 of 2 in 48 hours"],
    [{ reason: "spacing", detail: { last_claimed_at: "2026-03-02T10:30:00Z", spacing_seconds: 7200 } }, "waits: last at 2026-03-02 10:30:00, 2 hours apart"],
    [{ reason: "quiet_hours", detail: { zone: "Europe/Berlin", opens_at: "2026-03-03T07:00:00Z" } }, "waits: until 2026-03-03 07:00:00 in Europe/Berlin"],
    [{ reason: "quiet_hours", detail: { zone: "", opens_at: "2026-03-03T07:00:00Z" } }, "waits: until 2026-03-03 07:00:00"],
    [{ reason: "outranked", detail: { winner: "w1" } }, "waits: welcome hello"],
    [{ reason: "outranked", detail: { winner: "w2" } }, "waits: w2"],
    [{ reason: "run_limit", detail: { limit: 100 } }, "waits: 100 a run"],
    [
      { reason: "step_gap", detail: { last_step_claimed_at: "2026-03-02T10:30:00Z", gap_seconds: 3600 } },
      "waits: sent at 2026-03-02 10:30:00, the steps are 1 hour apart",
    ],
    [
      { reason: "stale_data", detail: { loaded_at: null, due_at: "2026-03-02T10:30:00Z" } },
      "waits: due 2026-03-02 10:30:00, the oldest source has data up to an unknown time",
    ],
    [
      { reason: "repeat_gap", detail: { last_claimed_at: "2026-03-01T10:30:00Z", repeat_seconds: 2_592_000 } },
      "waits: last at 2026-03-01 10:30:00, at most every 30 days",
    ],
    [{ reason: "converted", detail: { goal: "ordered", reached_at: null } }, "waits: ordered"],
    [{ event: "left", reason: "left", detail: { waited_seconds: 5400 } }, "waits: after 1 hour 30 minutes"],
    [{ event: "failed", reason: "rejected", detail: { because: "400: bad\u001b[2J" } }, "waits: 400: bad\\x1b[2J"],
    [{ event: "claimed", reason: "claimed" }, "waits"],
  ])("%j: %s", (changes, words) => {
    expect(inWords(event(changes), names, (iso, zone = "") => `${iso.slice(0, 19).replace("T", " ")}${zone === "" ? "" : ` in ${zone}`}`)).toBe(words);
  });
});

function result(reasons: Record<string, number>, bytes: number | null = null): RunResult {
  return {
    runId: "r1",
    asOf: "2026-03-02T12:00:00Z",
    trial: true,
    went: { provider: 0, sandbox: 0, outbox: 0 },
    dryRun: true,
    ahead: null,
    pauses: [],
    recovered: { released: 1, inDoubt: 2, liveInDoubt: 2 },
    failures: [],
    doubts: [],
    delivery: null,
    unrenderable: { 'templates/cart.hbs:6:1: "x" is null': 3 },
    problems: [],
    deliveryMs: 0,
    ms: 1500,
    usage: { statements: 9, bytes: bytes === null ? null : 3 * bytes },
    decisions: {
      stops: [],
      numbers: new Map(),
      segments: [
        {
          segment: "cart",
          first: true,
          returned: 1234,
          dropped: { duplicate: 2, same_occurrence: 5 },
          reasons,
          offered: 6,
          surge: null,
          channelPaused: {},
          problem: null,
          tooOld: false,
          ms: 1,
          bytes,
        },
      ],
      failedAudiences: [],
      audiences: bytes === null ? [] : [{ audience: "ordered", ms: 1, bytes }],
      unsharedAudiences: [],
      unknownZones: [],
      stagingMs: 1,
      arbitrationMs: 1,
      changed: 4,
    },
  };
}

describe("a run's summary", () => {
  const options = {
    paint: plain,
    width: 100,
    stopped: false,
    maxPerRun: 1000,
    period: { run: 300, segments: { cart: 3600 }, audiences: { ordered: 300 } },
    target: { name: "dev", live: false, outbox: "target/opportune/outbox" },
  };

  it("says what was read, and what that is a day, where the warehouse says so, and nothing of bytes where it doesn't", () => {
    expect(runSummary(result({}, 2_500_000), options)).toContain(
      // 24 hours of the segment, 288 times the audience and the rest.
      "Read 7.5 MB: segments 2.5 MB, audiences 2.5 MB, decisions and ledger 2.5 MB. At this schedule 1.5 GB a day.",
    );
    expect(runSummary(result({}), options).join("\n")).not.toMatch(/Read|B a day/);
  });

  it("says everything that happened, once", () => {
    expect(runSummary(result({ claimed: 3, run_limit: 2, cap: 1 }), options).join("\n"))
      .toBe(`Recovered from a run that never ended: 1 claim released, to be decided again; 2 in doubt, held.

segment   rows  messages  claimed  silent, because
cart     1,234         6        3  2 run_limit, 1 cap

cart: rows dropped: 2 duplicate.
Rows without anything to decide: 5 same_occurrence.
RUN LIMIT: 2 candidates had no place left under max_per_run (1,000 for the project). They wait, and are offered again in the next run.
Dry run: 3 messages would be sent, nothing was, and the ledger is as it was.
3 of these can't be rendered:
    3 × templates/cart.hbs:6:1: "x" is null
IN DOUBT: 2 messages of a live run. \`opportune doubts --target NAME\` lists them, where NAME is a live target.
Done. OK=1 ERROR=0 TOTAL=1 CLAIMED=3 HELD_OUT=0 CHANGED=4 in 1.50s (run r1)`);
  });

  it("says why messages failed, the commonest reason first, what helps, and what is in doubt still", () => {
    const reasons = [
      { channel: "email", outcome: "rejected" as const, reason: "HTTP 400: bad\n sender", messages: 7 },
      { channel: "email", outcome: "in_doubt" as const, reason: "no answer within 30 seconds", messages: 2 },
      ...["a", "b", "c", "d"].map((reason) => ({ channel: "email", outcome: "released" as const, reason, messages: 1 })),
    ];
    const delivery = { counts: { accepted: 1, failed: { rejected: 7, invalid: 0 }, inDoubt: 2, released: {} }, posts: 0, reasons };
    const doubts = [
      { runId: "r0", channel: "email", messages: 3, since: "2026-03-01T10:00:00Z" },
      { runId: "r1", channel: "email", messages: 2, since: "2026-03-02T12:00:00Z" },
    ];
    const failed = { ...result({}), trial: false, recovered: { released: 0, inDoubt: 0, liveInDoubt: 0 }, dryRun: false, delivery, doubts };
    const lines = runSummary(failed as unknown as RunResult, { ...options, target: { name: "prod", live: true, outbox: "" } });
    const from = lines.findIndex((line) => line.startsWith("failed"));
    expect(lines.slice(from, from + 5).join("\n")).toBe(`failed  as        channel  because
     7  rejected  email    HTTP 400: bad sender
     2  in doubt  email    no answer within 30 seconds
     1  released  email    a
     1  released  email    b
     1  released  email    c
1 more for other reasons: \`delivery.reasons\` in run_results.json.
Mend what made them rejected, then \`opportune retry --target prod --all --reason rejected --channel email\` offers them again.
Released messages are decided again by the next run; check the provider's status page and the channel's \`endpoint\`.
IN DOUBT: 5 messages, 2 of them new, the oldest since 2026-03-01T10:00:00Z. \`opportune doubts --target prod\` lists them, \`opportune doubts settle --target prod\` settles them.`);
  });

  it("says what a first run made baseline, and how that is lifted, for each segment", () => {
    const one = result({ baseline: 1200, claimed: 3 });
    const [cart] = one.decisions.segments;
    if (cart === undefined) throw new Error("no segment");
    const lines = (changed: Partial<RunResult>, ...segments: (typeof cart)[]): string[] => {
      const all = runSummary({ ...one, ...changed, decisions: { ...one.decisions, segments } }, options);
      const from = all.findIndex((line) => line.startsWith("First run of"));
      return from === -1 ? [] : all.slice(from, from + 3);
    };
    expect(lines({}, cart).slice(0, 2)).toEqual([
      "First run of cart: 1,200 would become baseline, as they had qualified before, and hear nothing. To write to them after all:",
      "    opportune run --backfill cart",
    ]);
    const other = { ...cart, segment: "win_back", reasons: { baseline: 5 } };
    expect(lines({ dryRun: false }, cart, other, { ...cart, segment: "tip", first: false })).toEqual([
      "First run of 2 segments: 1,205 became baseline, as they had qualified before, and hear nothing. To write to them after all:",
      "    opportune run --backfill cart      # 1,200",
      "    opportune run --backfill win_back  # 5",
    ]);
    // Not after an edit, nor where nobody had qualified.
    expect(lines({}, { ...cart, first: false })).toEqual([]);
    expect(lines({}, { ...cart, reasons: { claimed: 3 } })).toEqual([]);
  });

  it("has the same columns whatever happened; reasons go on below where they don't fit", () => {
    const rows = (reasons: Record<string, number>, width = 100): string => runSummary(result(reasons), { ...options, width }).join("\n");
    const heading = "segment   rows  messages  claimed  silent, because\n";
    expect(rows({})).toContain(`${heading}cart     1,234         0        0\n`);
    // What was taken up by --backfill is no message.
    expect(rows({ claimed: 3, backfilled: 4 })).toContain(`${heading}cart     1,234         3        3  4 backfilled\n`);
    expect(rows({ claimed: 3, cap: 2, of_a_later_version: 1 })).toContain(`${heading}cart     1,234         6        3  2 cap, 1 of_a_later_version\n`);
    expect(rows({ claimed: 3, cap: 1, run_limit: 2, superseded: 2000 }, 20)).toContain(
      `${heading}cart     1,234     2,006        3  2,000 superseded,\n                                   2 run_limit, 1 cap\n`,
    );
  });

  it("says so where a dry run looks ahead", () => {
    expect(runSummary({ ...result({ claimed: 1 }), ahead: "2026-03-09T12:00:00Z" }, options)).toContain(
      "It looks ahead to 2026-03-09T12:00:00Z: what will be known by then, new rows, orders and opt-outs, is not in it.",
    );
  });
});

describe("the listing", () => {
  it("goes on below where the uses of an audience don't fit beside it", () => {
    const segments = ["first", "second", "third"].map((id) => ({ id, goal: { audience: "ordered" }, exclude: [], require: [], buildsOn: [] }));
    const audience = { name: "ordered", buildsOn: [] };
    const policy = { exclude: ["ordered"], require: [] };
    expect(audienceListing(segments as never, [audience] as never, policy as never, 44, plain)).toBe(
      "audience  used by\nordered   policy (exclude), first (goal),\n          second (goal), third (goal)",
    );
  });
});

describe("lines", () => {
  it("are in dbt's manner, all marks in one column", () => {
    const step = { kind: "segment" as const, name: "cart", index: 1, total: 6 };
    const [start = ""] = stepLines({ ...step, state: "start" }, plain);
    const [done = ""] = stepLines({ ...step, state: "done", rows: 120, ms: 80 }, plain);
    expect(start).toMatch(/^1 of 6 START segment cart \.+ \[RUN\]$/);
    expect(done).toMatch(/^1 of 6 OK segment cart 120 rows \.+ \[OK in 0\.08s\]$/);
    expect(done.indexOf("[")).toBe(start.indexOf("["));
    const failed = stepLines(
      { ...step, state: "done", ms: 80, problem: { code: "x", message: "no column x", hint: "Write y.", file: "segments/cart.sql", line: 3 } },
      plain,
    );
    expect(failed.slice(1)).toEqual(["    segments/cart.sql:3: no column x", "        Write y."]);
  });

  it("show control characters of the warehouse's text instead of obeying them", () => {
    expect(visible("a\u001b[31m\r\n\t\u0000")).toBe("a\\x1b[31m\\x0d\\n\\t\\x00");
    expect(
      table(
        ["a", "n"],
        [
          ["x\u0007", 1200],
          ["longer", 3],
        ],
        plain,
      ),
    ).toBe("a           n\nx\\x07   1,200\nlonger      3");
  });

  it("hold one expected problem each, and a stack for debug alone", () => {
    const expected = new OpportuneError({ code: "x", message: "wrong", hint: "Do it right." });
    expect(errorLines(expected, false, plain)).toEqual(["wrong", "    Do it right."]);
    expect(errorLines(expected, true, plain).join("\n")).toContain("report.test.ts");
    const unexpected = errorLines(new TypeError("x is undefined\nmore"), false, plain);
    expect(unexpected[0]).toBe("Unexpected error: x is undefined");
    expect(unexpected.join("\n")).not.toContain("    at ");
  });

  it("shows of causes that aren't ours the kind and the places, not their words", () => {
    const driver = Object.assign(new Error("connection of Ada Lovelace lost"), { code: "08006", cause: new SyntaxError('"Ada Lovelace" is not valid JSON') });
    for (const top of [
      new OpportuneError({ code: "warehouse/connection-lost", message: "lost" }, 1, driver),
      new TypeError("x is undefined", { cause: driver }),
    ]) {
      const lines = errorLines(top, true, plain).join("\n");
      expect(lines).toContain("Error (08006)\n    at ");
      expect(lines).toContain("SyntaxError\n    at ");
      expect(lines).not.toContain("Ada");
    }
    const inner = new OpportuneError({ code: "x", message: "the inner one's words" });
    expect(errorLines(new OpportuneError({ code: "y", message: "outer" }, 1, inner), true, plain).join("\n")).toContain("the inner one's words");
  });
});

describe("compiled SQL", () => {
  it("lists parameters above the statement and holds no secret", () => {
    const secrets = new Map([
      ["top-secret-value", "${TOKEN}"],
      ["7", "${DAYS}"],
    ]);
    const sql = compiledSql(
      "segments/cart",
      [
        { sql: "select $1, $2, $3, 'top-secret-value', 7", params: ["O'Brien\n", "top-secret-value", "7"] },
        { sql: "select 1", params: [] },
      ],
      { asOf: "2026-03-02T12:00:00Z", secrets },
    );
    expect(sql).toBe(`-- segments/cart, as of 2026-03-02T12:00:00Z
-- Parameters:
--   $1 = "O'Brien\\n"
--   $2 = <\${TOKEN}>
--   $3 = <\${DAYS}>

select $1, $2, $3, '<\${TOKEN}>', 7
;

-- No parameters.

select 1
`);
  });
});
