/**
 * One-click unsubscribe (RFC 8058): a link that carries the message's id, signed so that nobody can make one for somebody else's.
 * Who it was for, on which channel and of which topic, is in the ledger alone.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Links } from "../../project/types.js";

/** Longest token that is looked at; others are not worth a hash. */
const MAX_TOKEN = 200;
const MESSAGE_ID = /^[\w-]+$/;
/** Keeps these signatures apart from any other use of the same secret. */
const PURPOSE = "opportune/unsubscribe/2\n";

/** `message id.signature`; the signature is HMAC-SHA256 in base64url. The secret must not be empty. */
export function signToken(messageId: string, secret: string): string {
  if (secret === "") throw new RangeError("The unsubscribe secret is empty.");
  if (!MESSAGE_ID.test(messageId)) throw new RangeError("A message's id has letters, digits, _ and - alone.");
  return `${messageId}.${signature(messageId, secret)}`;
}

/**
 * The `message_id` that the token of an unsubscribe link was signed for; null for anything else, whatever it is. Throws nothing,
 * and takes the same time for any signature.
 * @param token as it came with the request: the parameter `token`
 * @param secret `links.unsubscribe_secret` of opportune.yml
 */
export function readToken(token: unknown, secret: string): string | null {
  if (secret === "" || typeof token !== "string" || token.length > MAX_TOKEN) return null;
  const [messageId = "", given = "", ...rest] = token.split(".");
  if (rest.length > 0 || !MESSAGE_ID.test(messageId)) return null;
  const [expected, actual] = [Buffer.from(signature(messageId, secret)), Buffer.from(given)];
  return actual.length === expected.length && timingSafeEqual(actual, expected) ? messageId : null;
}

function signature(messageId: string, secret: string): string {
  return createHmac("sha256", secret).update(PURPOSE).update(messageId).digest("base64url");
}

/** The link of one message, or null when the project has no endpoint or no secret. */
export function unsubscribeUrl(links: Links, messageId: string): string | null {
  if (links.unsubscribeUrl === null || links.unsubscribeSecret === null || links.unsubscribeSecret === "") return null;
  const joint = links.unsubscribeUrl.includes("?") ? "&" : "?";
  return `${links.unsubscribeUrl}${joint}token=${signToken(messageId, links.unsubscribeSecret)}`;
}

/** The headers that make a mail client show its own unsubscribe button. */
export function unsubscribeHeaders(url: string): Record<string, string> {
  return { "List-Unsubscribe": `<${url}>`, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" };
}
