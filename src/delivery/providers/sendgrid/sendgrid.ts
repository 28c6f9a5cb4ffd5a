/** SendGrid, as the rest of the job sees it. */
import type { ProviderKind } from "../kind.js";
import { schema, settings, type SendGridSettings, type Written } from "./settings.js";

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
  settings,
  secrets: ({ apiKey }: SendGridSettings) => (apiKey === null ? {} : { api_key: apiKey }),
  facts: ({ endpoint, apiKey }: SendGridSettings) => ({
    place: URL.canParse(endpoint) ? new URL(endpoint).origin : "an endpoint that is no URL",
    key: apiKey !== null,
  }),
  async open({ name, inFlight, settings: own }, options) {
    const { createSendGridProvider } = await import("./provider.js");
    return createSendGridProvider({ name, inFlight, ...own }, options);
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
