/** Settings of every provider that is reached by HTTP. */
import * as z from "zod";
import { duration, url } from "../../../project/schema/fields.js";
import type { Settings } from "../kind.js";

export interface HttpSettings extends Settings {
  /** Base URL. */
  readonly endpoint: string;
  /** A 2xx with a web page is the provider's answer. */
  readonly htmlOk: boolean;
}

/** The keys, below a channel. `endpoint`: the provider's own base URL. */
export const httpKeys = (endpoint: string) => ({
  endpoint: url.default(endpoint).describe("Base URL of the provider."),
  sandbox: z.boolean().default(false).describe("The endpoint is `opportune sandbox` on this machine: messages of every target go there, live or not."),
  timeout: duration.prefault("30 seconds").describe("An answer later than this is in doubt."),
  on_doubt: z
    .enum(["hold", "resend"])
    .default("hold")
    .describe('Where the provider\'s answer never came: hold the message as in doubt, or send it again; see "In doubt" in ledger.md.'),
  html_ok: z.boolean().default(false).describe("The provider answers with a web page: a 2xx with one is accepted, not in doubt."),
});

type Written = z.output<z.ZodObject<ReturnType<typeof httpKeys>>>;

export function httpSettings({ endpoint, sandbox, timeout, on_doubt, html_ok }: Written): HttpSettings {
  return { endpoint, sandbox, timeoutSeconds: timeout, onDoubt: on_doubt, htmlOk: html_ok };
}
