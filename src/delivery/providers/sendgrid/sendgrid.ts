/** SendGrid: its settings, and where the rest of it is. */
import type * as z from "zod";
import { text } from "../../../project/fields.js";
import { httpKeys, httpSettings, type HttpSettings } from "../http/settings.js";
import type { ProviderKind } from "../kind.js";
import { channelSchema } from "../schema.js";

export interface SendGridSettings extends HttpSettings {
  /** Never logged; null where the sandbox takes any. */
  readonly apiKey: string | null;
}

const schema = channelSchema("sendgrid", {
  api_key: text.optional().describe("The provider's key: ${SENDGRID_API_KEY}."),
  ...httpKeys("https://api.sendgrid.com"),
});

type Written = z.output<typeof schema>;

export const sendgrid = {
  name: "sendgrid",
  title: "SendGrid",
  serves: ["email"],
  schema,
  secretKeys: ["api_key"],
  idleKeys: [],
  example: { api_key: "${SENDGRID_API_KEY}" },
  misfits(path: string, { api_key }: Written) {
    if (api_key !== undefined) return [];
    return [
      { key: null, code: "missing", message: `api_key is missing in ${path}; the provider sendgrid needs one`, hint: "add api_key: ${SENDGRID_API_KEY}" },
    ];
  },
  settings: (written: Written): SendGridSettings => ({ ...httpSettings(written), apiKey: written.api_key ?? null }),
  secrets: ({ apiKey }: SendGridSettings) => (apiKey === null ? {} : { api_key: apiKey }),
  facts: ({ endpoint, apiKey }: SendGridSettings) => ({
    place: URL.canParse(endpoint) ? new URL(endpoint).origin : "an endpoint that is no URL",
    key: apiKey !== null,
  }),
  async open({ name, inFlight, settings }, options) {
    const { createSendGridProvider } = await import("./provider.js");
    return createSendGridProvider({ name, inFlight, ...settings }, options);
  },
  async request(message) {
    const { toSendGrid } = await import("./body.js");
    return toSendGrid(message);
  },
  sandbox: {
    channel: (url, key = "SG.sandbox") => ({ endpoint: url, api_key: key }),
    protocol: async () => (await import("./sandbox.js")).protocol,
  },
} satisfies ProviderKind<"sendgrid", SendGridSettings>;
