import { nearestDuration, parseOptionDuration } from "../core/durations.js";
import { OpportuneError } from "../core/errors.js";
import { didYouMean } from "../core/suggest.js";
import { requireLedger } from "../ledger/install/versions.js";
import { holding } from "../ledger/lease/held-ledger.js";
import { settle } from "../ledger/recovery/settle.js";
import { settledDocument, settledLines } from "../report/doubts.js";
import { chosen, filtered, type ChoiceOptions } from "./shared/choice.js";
import { withLedger } from "./shared/context.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";

export interface RetryOptions extends GlobalOptions, ChoiceOptions {
  all?: boolean;
  reason?: "invalid" | "rejected";
  since?: string;
}

/** What --all means without --reason: failures that a fix may mend. Who said of a doubt that it was not sent left it at that. */
const MENDABLE = ["invalid", "rejected"];

/** Offers messages that failed for good again, after whatever made them fail was mended. */
export function retryCommand(terminal: Terminal, options: RetryOptions, ids: readonly string[]): Promise<number> {
  const filters = (["segment", "channel", "reason", "since"] as const).filter((name) => options[name] !== undefined);
  const { messageIds } = chosen("retry", ids, options.all === true, filters);
  const since = options.since === undefined ? null : Date.now() - secondsOf(options.since) * 1000;
  return withLedger(terminal, options, async (project, ledger) => {
    await requireLedger(ledger);
    const reasons = options.reason !== undefined ? [options.reason] : messageIds === null ? MENDABLE : null;
    const choice = { ...(await filtered(project, ledger, options)), messageIds, reasons, since };
    return holding(ledger, {}, async (held) => {
      const offered = await settle(held, "retry", choice);
      const others = messageIds?.filter((id) => !offered.some(({ messageId }) => messageId === id)) ?? [];
      if (options.output === "json") terminal.out(JSON.stringify(settledDocument("retry", offered, others), null, 2));
      else terminal.out(settledLines("retry", offered, ledger.now()).join("\n"));
      for (const id of others) terminal.warn(`Not failed, or offered again already: ${id}`);
      return 0;
    });
  });
}

function secondsOf(text: string): number {
  const seconds = parseOptionDuration(text);
  if (seconds !== undefined) return seconds;
  const nearest = nearestDuration(text);
  const hint = didYouMean(nearest) ?? "Allowed: a length of time such as 2d, `2 days` or `3 hours`.";
  throw new OpportuneError({ code: "usage/since", message: `--since can't be ${JSON.stringify(text)}.`, hint }, 2);
}
