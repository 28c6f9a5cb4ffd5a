import { OpportuneError } from "../core/errors.js";
import { targetOption } from "../core/failures.js";
import { requireLedger } from "../ledger/install/versions.js";
import { holding } from "../ledger/lease/held-ledger.js";
import { unfinishedRuns } from "../ledger/runs/record.js";
import { doubts, settle, type Verdict } from "../ledger/recovery/settle.js";
import { doubtLines, doubtsDocument, settledDocument, settledLines } from "../report/doubts.js";
import { chosen, filtered, type ChoiceOptions } from "./shared/choice.js";
import { withLedger } from "./shared/context.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";

export interface DoubtsOptions extends GlobalOptions, ChoiceOptions {
  addresses?: boolean;
}

export interface SettleOptions extends GlobalOptions, ChoiceOptions {
  all?: boolean;
  sent?: boolean;
  notSent?: boolean;
  resend?: boolean;
  addresses?: boolean;
}

/** Lists the messages that were handed over and whose answer never came. */
export function doubtsCommand(terminal: Terminal, options: DoubtsOptions): Promise<number> {
  return withLedger(terminal, options, async (project, ledger) => {
    await requireLedger(ledger);
    const found = await doubts(ledger, await filtered(project, ledger, options));
    const addresses = options.addresses === true;
    if (options.output === "json") terminal.out(JSON.stringify(doubtsDocument(found, addresses), null, 2));
    else terminal.out(doubtLines(found, addresses, targetOption(project.target), terminal.outPaint).join("\n"));
    if ((await unfinishedRuns(ledger)) > 0)
      terminal.note("A run is under way, or was cut off: what it leaves in doubt is known once it has ended, or the next one has begun.");
    return 0;
  });
}

/** Says what became of messages in doubt. */
export function doubtsSettleCommand(terminal: Terminal, options: SettleOptions, ids: readonly string[]): Promise<number> {
  if (options.addresses === true)
    throw new OpportuneError({ code: "usage/addresses", message: "--addresses is for the list of doubts.", hint: "Leave it out of `doubts settle`." }, 2);
  const verdict = verdictOf(options);
  const { messageIds } = chosen("settle", ids, options.all === true, filtersGiven(options));
  return withLedger(terminal, options, async (project, ledger) => {
    await requireLedger(ledger);
    const choice = { ...(await filtered(project, ledger, options)), messageIds };
    return holding(ledger, {}, async (held) => {
      const settled = await settle(held, verdict, choice);
      const others = messageIds?.filter((id) => !settled.some(({ messageId }) => messageId === id)) ?? [];
      if (options.output === "json") terminal.out(JSON.stringify(settledDocument(verdict, settled, others), null, 2));
      else terminal.out(settledLines(verdict, settled, ledger.now()).join("\n"));
      for (const id of others) terminal.warn(`Not in doubt, and left as it is: ${id}`);
      return 0;
    });
  });
}

function filtersGiven({ segment, channel }: ChoiceOptions): string[] {
  return [...(segment === undefined ? [] : ["segment"]), ...(channel === undefined ? [] : ["channel"])];
}

function verdictOf({ sent, notSent, resend }: SettleOptions): Verdict {
  const said: Verdict[] = [
    ...(sent === true ? ["sent" as const] : []),
    ...(notSent === true ? ["not_sent" as const] : []),
    ...(resend === true ? ["resend" as const] : []),
  ];
  const [verdict] = said;
  if (verdict !== undefined && said.length === 1) return verdict;
  throw new OpportuneError(
    {
      code: "usage/verdict",
      message: said.length === 0 ? "Say what became of the messages." : "A message is either sent, or not, or sent again.",
      hint: "One of --sent (the provider has it), --not-sent (it hasn't; the user does not hear of this behaviour) and --resend (offer it again).",
    },
    2,
  );
}
