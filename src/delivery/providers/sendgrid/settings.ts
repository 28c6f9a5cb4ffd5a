/** What a channel of SendGrid holds. */
import type * as z from "zod";
import { text } from "../../../project/schema/fields.js";
import { httpKeys, httpSettings, type HttpSettings } from "../http/settings.js";
import { channelSchema } from "../schema.js";

export interface SendGridSettings extends HttpSettings {
  /** Never logged; null where the sandbox takes any. */
  readonly apiKey: string | null;
}

export const schema = channelSchema("sendgrid", {
  api_key: text.optional().describe("The provider's key: ${SENDGRID_API_KEY}."),
  ...httpKeys("https://api.sendgrid.com"),
});

export type Written = z.output<typeof schema>;

export function settings(written: Written): SendGridSettings {
  return { ...httpSettings(written), apiKey: written.api_key ?? null };
}
