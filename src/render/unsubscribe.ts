/**
 * One-click unsubscribe (RFC 8058): a link that carries who, from what and on which channel, signed so that nobody can make one
 * for somebody else. It holds no address; the ledger finds that by message id.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Links } from "../project/types.js";

export interface UnsubscribeClaim {
  messageId: string;
  /** The channel's name. */
  channel: string;
  /** Null: from everything on the channel. */
  topic: string | null;
  userId: string;
}

/** Longest token that is looked at; ids are far shorter, and longer ones are not worth a hash. */
const MAX_TOKEN = 4096;
/** Keeps these signatures apart from any other use of the same secret. */
const PURPOSE = "opportune/unsubscribe/1\n";

/** `payload.signature`, both base64url; the signature is HMAC-SHA256. The secret must not be empty. */
export function signUnsubscribeToken(claim: UnsubscribeClaim, secret: string): string {
  if (secret === "") throw new RangeError("The unsubscribe secret is empty.");
  const payload = Buffer.from(JSON.stringify({ m: claim.messageId, c: claim.channel, t: claim.topic, u: claim.userId })).toString("base64url");
  return `${payload}.${signature(payload, secret)}`;
}

/** What a token says, or null for one that is malformed or was not signed with this secret. Takes the same time for any signature. */
export function verifyUnsubscribeToken(token: string, secret: string): UnsubscribeClaim | null {
  if (secret === "" || token.length > MAX_TOKEN) return null;
  const [payload, given, ...rest] = token.split(".");
  if (payload === undefined || given === undefined || rest.length > 0) return null;
  const expected = Buffer.from(signature(payload, secret));
  const actual = Buffer.from(given);
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return null;
  return readPayload(payload);
}

function signature(payload: string, secret: string): string {
  return createHmac("sha256", secret).update(PURPOSE).update(payload).digest("base64url");
}

function readPayload(payload: string): UnsubscribeClaim | null {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  } catch {
    return null;
  }
  if (typeof content !== "object" || content === null) return null;
  const { m, c, t, u } = content as Record<string, unknown>;
  if (typeof m !== "string" || typeof c !== "string" || typeof u !== "string" || (t !== null && typeof t !== "string")) return null;
  return { messageId: m, channel: c, topic: t, userId: u };
}

/** The link of one message, or null when the project has no endpoint or no secret. */
export function unsubscribeUrl(links: Links, claim: UnsubscribeClaim): string | null {
  if (links.unsubscribeUrl === null || links.unsubscribeSecret === null || links.unsubscribeSecret === "") return null;
  const joint = links.unsubscribeUrl.includes("?") ? "&" : "?";
  return `${links.unsubscribeUrl}${joint}token=${signUnsubscribeToken(claim, links.unsubscribeSecret)}`;
}

/** The headers that make a mail client show its own unsubscribe button. */
export function unsubscribeHeaders(url: string): Record<string, string> {
  return { "List-Unsubscribe": `<${url}>`, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" };
}
