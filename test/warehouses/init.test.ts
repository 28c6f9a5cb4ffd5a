/** What `opportune init --warehouse` begins, on each: the three commands that it names next. */
import { join } from "node:path";
import { expect } from "vitest";
import { initCommand } from "../../src/commands/init/init.js";
import { opportune, read, temporaryFolder, write } from "../commands/support.js";
import { createTestDatabase } from "../support/databases.js";
import { told } from "../support/terminal.js";
import { onEachWarehouse } from "./support/each.js";

onEachWarehouse("a project that init begins", ({ name }, check) => {
  check("makes its ledger, finds everything, and decides about the example's three users", async () => {
    const database = await createTestDatabase(name);
    try {
      // A file is there once something has opened it.
      await (await database.connect()).close();
      const root = join(temporaryFolder(), "shop");
      const { stdout } = await told((terminal) => initCommand(terminal, { color: false, warehouse: name }, [root]));
      // Where to connect to is the test's; all else stays.
      const written = read(root, "opportune.yml").replace(/\n {2}dev:[^]*?\n\n/, `\n  dev: ${JSON.stringify(database.target)}\n\n`);
      write(root, { "opportune.yml": written });
      const commands = [...stdout.matchAll(/^ {2}(?:npx )?opportune (.+?) {2}/gm)].map(([, command = ""]) => command);
      expect(commands).toEqual(["ledger install", "debug", "run --dry-run"]);
      for (const command of [...commands, "run --dry-run --backfill example"]) {
        const outcome = await opportune(root, command.split(" "));
        expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0);
        if (command === "run --dry-run") expect(outcome.stdout).toMatch(/^example +3 +3 +0 +3 baseline$/m);
        // One of three is offered the message, or waits for the morning: it is decided at the time of day that it is.
        if (command.includes("--backfill"))
          expect(outcome.stdout).toMatch(/^example +3 +3 +[01] +3 backfilled,(?: 1 quiet_hours,)? 1 converted,(?: 1 quiet_hours,)? 1 excluded/m);
      }
    } finally {
      await database.drop();
    }
  });
});
