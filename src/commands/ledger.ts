import { leaves } from "../delivery/providers/registry.js";
import { adopt } from "../ledger/install/home.js";
import { installLedger, trialsMade, type LedgerChannel } from "../ledger/install/install.js";
import { ledgerStatus, requireLedger } from "../ledger/install/versions.js";
import { addressColumn } from "../project/build/treatments.js";
import type { Project } from "../project/types.js";
import { counted } from "../report/tables.js";
import { withLedger } from "./shared/context.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";

/** The file that finds out which messages of an older ledger were trials. */
const MARKS_TRIALS = "005_one_form.sql";

/** What an upgrade of the ledger asks of the project's channels. */
function ledgerChannels(project: Project): LedgerChannel[] {
  return [...project.channels].map(([name, channel]) => ({
    name,
    address: addressColumn(project, name),
    // Whichever target the upgrade is called for: what a live one has sent must not go out again.
    writesFiles: project.anyLive && !leaves(channel),
  }));
}

/** Creates the ledger, or brings it to this version. */
export function ledgerInstallCommand(terminal: Terminal, options: GlobalOptions): Promise<number> {
  return withLedger(terminal, options, async (project, ledger) => {
    const { schema, name } = project.target;
    const ran = await installLedger(ledger, ledgerChannels(project));
    const { version } = await ledgerStatus(ledger);
    const done = ran.length === 0 ? "was up to date" : `is now up to date (${ran.join(", ")})`;
    terminal.out(`The ledger in schema ${schema} of target ${name} ${done}: version ${String(version)}.`);
    if (ran.includes(MARKS_TRIALS) && ran.length < version) {
      const { messages, rows } = await trialsMade(ledger);
      const made = `${counted(messages, "message")} (${counted(rows, "row")}) became ${messages > 1 ? "trials" : "a trial"}: written to files, and no live run reads them.`;
      terminal.out(messages === 0 ? "No message became a trial." : made);
      terminal.out(
        "Everything else stays live: what went to a provider or a sandbox was sent, and baseline stays baseline until `opportune run --backfill SEGMENT`.",
      );
    }
    return 0;
  });
}

/** Makes this database the ledger's home after a copy or restore that is to send from now on. */
export function ledgerAdoptCommand(terminal: Terminal, options: GlobalOptions): Promise<number> {
  return withLedger(terminal, options, async (project, ledger) => {
    const { schema, name } = project.target;
    await requireLedger(ledger);
    await adopt(ledger);
    terminal.out(`The ledger in schema ${schema} of target ${name} belongs to this database now: runs may send from it.`);
    return 0;
  });
}

/** The ledger's version. @throws OpportuneError (exit 1) unless it is this one's */
export function ledgerStatusCommand(terminal: Terminal, options: GlobalOptions): Promise<number> {
  return withLedger(terminal, options, async (project, ledger) => {
    const { schema, name } = project.target;
    await requireLedger(ledger);
    const { version, expected } = await ledgerStatus(ledger);
    if (options.output === "json") terminal.out(JSON.stringify({ schema_version: 1, target: name, schema, version, expected }, null, 2));
    else terminal.out(`The ledger in schema ${schema} of target ${name} is up to date: version ${String(version)}.`);
    return 0;
  });
}
