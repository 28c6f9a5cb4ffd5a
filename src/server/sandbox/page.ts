/** The sandbox's messages as the page shows them. */
import { OpportuneError } from "../../core/errors.js";
import type { SandboxProtocol } from "../../delivery/providers/sandbox-protocol.js";
import type { PageEntry, PageMessage } from "../page.js";
import type { StoredEntry, StoredMessage } from "./store.js";

export function pageEntry({ order, id, receivedAt, to, subject, segment }: StoredEntry): PageEntry {
  return { id, order, at: receivedAt, to: to.join(", "), subject, segment, step: "" };
}

export function pageMessage(stored: StoredMessage, protocol: SandboxProtocol): PageMessage {
  const { from, html, text, headers, to, subject, segment } = protocol.message(stored.body);
  return { ...pageEntry({ ...stored, to, subject, segment }), from, html, text, headers, request: stored.headers, source: stored.body };
}

/** Asks for the decision behind a message; throws an OpportuneError where there is nobody or nothing to ask. */
export async function decisionOf(
  { source }: PageMessage,
  protocol: SandboxProtocol,
  ask: ((messageId: string) => Promise<unknown>) | undefined,
): Promise<unknown> {
  const { messageId } = protocol.message(source);
  if (ask !== undefined && messageId !== null) return ask(messageId);
  throw new OpportuneError(
    messageId === null
      ? {
          code: "sandbox/not-ours",
          message: "This email names no message of a ledger.",
          hint: `Opportune writes its message id into \`${protocol.idField}\`; another program sent this one.`,
        }
      : {
          code: "sandbox/no-project",
          message: "This sandbox knows no project.",
          hint: "Start `opportune sandbox` in a project's folder or with --project-dir: it then reads the ledger of its target.",
        },
  );
}
