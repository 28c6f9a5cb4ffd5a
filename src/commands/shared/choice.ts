/** What `doubts settle` and `retry` have in common: which messages are meant, and what is said of those that were not. */
import { OpportuneError } from "../../core/errors.js";
import type { Ledger } from "../../ledger/ledger.js";
import { isKnown } from "../../ledger/look-up.js";
import { EVERY, type Choice } from "../../ledger/recovery/settle.js";
import { isTrial } from "../../ledger/trial.js";
import type { Project } from "../../project/types.js";
import { unknownName } from "./context.js";

export interface ChoiceOptions {
  segment?: string;
  channel?: string;
}

/**
 * Named messages, or with --all every one that the filters leave: never everything by leaving something out.
 * @throws OpportuneError (exit 2) for both or neither, filters beside names, and what can be no message id
 */
export function chosen(verb: string, ids: readonly string[], all: boolean, filters: readonly string[]): Pick<Choice, "messageIds"> {
  const usage = (message: string, hint: string): OpportuneError => new OpportuneError({ code: "usage/messages", message, hint }, 2);
  if (ids.length === 0 && !all)
    throw usage(`Say which messages to ${verb}: their ids, or --all.`, "`opportune doubts` and the view `messages` list ids; filters narrow --all down.");
  if (ids.length > 0 && all) throw usage("Message ids and --all exclude each other.", "Leave one of them out.");
  if (ids.length > 0 && filters.length > 0) throw usage(`Message ids and --${filters[0] ?? ""} exclude each other.`, "Filters narrow --all down.");
  const wrong = ids.find((id) => !/^[0-9a-f]{32}$/.test(id));
  if (wrong !== undefined)
    throw usage(`${JSON.stringify(wrong)} is no message id.`, "Allowed: 32 hexadecimal digits, as `opportune doubts` and the view `messages` list them.");
  return { messageIds: all ? null : [...new Set(ids)] };
}

/**
 * The filters, of names that project or ledger know: a segment that is gone may have left messages.
 * @throws OpportuneError (exit 2) for a name that nothing has
 */
export async function filtered(project: Project, ledger: Ledger, { segment, channel }: ChoiceOptions): Promise<Choice> {
  const check = async (what: "segment" | "channel", name: string | undefined, known: readonly string[]): Promise<string | null> => {
    if (name === undefined) return null;
    if (known.includes(name)) return name;
    if (!(await isKnown(ledger, what, name))) throw unknownName(what, name, known);
    return name;
  };
  return {
    ...EVERY,
    trial: isTrial(project.target, null),
    segment: await check("segment", segment, [...project.segments.keys()]),
    channel: await check("channel", channel, [...project.channels.keys()]),
  };
}
