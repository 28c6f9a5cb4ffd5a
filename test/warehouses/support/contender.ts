/** A process that takes the lease when it is told to: `take`, `release` and `end` in; `ready`, `won`, `held`, `released` or an error's text out. */
import { Ledger } from "../../../src/ledger/ledger.js";
import { OpportuneError } from "../../../src/core/errors.js";
import { Lease } from "../../../src/ledger/lease/lease.js";
import { openWarehouse } from "../../../src/warehouse/open.js";
import { connectionOf } from "../../support/targets.js";

const [, , target = "{}", schema = ""] = process.argv;

const tell = (what: string): void =>
  void process.send?.(what, () => {
    if (what === "ended") process.disconnect();
  });

try {
  const warehouse = await openWarehouse(connectionOf(JSON.parse(target) as Record<string, unknown>), { root: "." });
  let lease: Lease | null = null;
  const orders: Readonly<Record<string, () => Promise<string>>> = {
    async take() {
      ({ lease } = await Lease.take(new Ledger(warehouse, schema), 0));
      return "won";
    },
    async release() {
      await lease?.release();
      return "released";
    },
    async end() {
      await warehouse.close();
      return "ended";
    },
  };
  process.on("message", (order: string) => {
    orders[order]?.().then(tell, (error: unknown) => tell(isHeld(error) ? "held" : String(error)));
  });
  tell("ready");
} catch (error) {
  tell(String(error));
  tell("ended");
}

function isHeld(error: unknown): boolean {
  return error instanceof OpportuneError && error.problems[0]?.code === "ledger/lease";
}
