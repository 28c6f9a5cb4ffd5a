/** A bad day at the warehouse, on DuckDB: statements interrupted, disks full. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BATCH } from "./support/shop.js";
import { aftermath, openStage, type Stage } from "./support/story.js";
import { Worker } from "./support/workers.js";

const LONGER = ["stage segment", "arbitrate", "append decisions"];

let stage: Stage;
beforeAll(async () => {
  stage = await openStage("duckdb");
});
afterAll(() => stage.close());

describe("a bad day at DuckDB", () => {
  it("each kind of statement is interrupted, as far as DuckDB hears it", async () => {
    stage.provider.reset();
    const shop = await stage.ground.open({ endpoint: stage.provider.url, users: 3 });
    const worker = new Worker("duckdb");
    try {
      const { statements } = await worker.outcome(shop.job());
      const kinds = [...new Set(statements)].filter((label) => label !== "other");
      const failed: string[] = [];
      // At once, and amid those that take longer.
      for (const [label, spinMs] of [...kinds.map((kind) => [kind, 0] as const), ...LONGER.map((kind) => [kind, 3] as const)]) {
        await shop.qualify(3);
        const outcome = await worker.outcome(shop.job([{ label, nth: 1, phase: "during", act: "interrupt", spinMs }]));
        if (!outcome.ok) {
          failed.push(label);
          expect(outcome.message).toMatch(/^(?:(?:segments\/\w+\.sql[^\n]*: )?INTERRUPT Error: Interrupted!|The result broke off\. [^\n]*)$/);
        }
        const next = await worker.outcome(shop.job());
        expect({ label, ok: next.ok, message: next.message }).toEqual({ label, ok: true, message: null });
      }
      expect(failed.length).toBeGreaterThan(0);
      await aftermath(stage, shop, {
        point: "interrupted",
        struck: `${failed.join(", ")} of ${String(kinds.length)} kinds`,
        doubts: kinds.length * BATCH,
        again: true,
      });
    } finally {
      await worker.end();
    }
  });

  it.each([1, 8, 16, 24, 32, 40, 48, 56, 64])("the disk is full once a file has %i KB", async (mostKb) => {
    stage.provider.reset();
    const shop = await stage.ground.open({ endpoint: stage.provider.url, users: 60 });
    const worker = new Worker("duckdb", mostKb);
    try {
      const outcome = await worker.outcome(shop.job());
      expect(outcome).toMatchObject({ ok: false, code: "warehouse/statement" });
      expect(outcome.message).toMatch(/^[^\n]*Could not write file "[^"]+": File too large[^\n]*$/);
    } finally {
      await worker.end();
    }
    await stage.provider.idle();
    await aftermath(stage, shop, { point: "disk full", struck: `at ${String(mostKb)} KB`, again: true });
  });
});
