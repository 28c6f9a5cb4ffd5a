/**
 * What a channel may hold in opportune.yml: the keys of every channel, and those of its provider.
 */
import * as z from "zod";
import { CHANNEL_TYPES } from "../../channels/registry.js";
import { sender, whole } from "../../project/schema/fields.js";

/** The keys that every channel has, whoever delivers. */
function commonKeys<const Name extends string>(provider: Name) {
  return {
    type: z.enum(CHANNEL_TYPES).optional().describe("Defaults to the channel's name where that is a type."),
    provider: z.literal(provider).describe("Who delivers; outbox writes files."),
    from: sender.optional().describe("Sender; a template may name another."),
    reply_to: sender.optional().describe("Where answers go."),
    in_flight: whole(1).default(256).describe("Requests under way at once."),
    rate: z.number().positive().default(500).describe("Most messages a second."),
  };
}

/** The schema of channels of one provider. `own`: its keys. */
export function channelSchema<const Name extends string, Own extends z.ZodRawShape>(name: Name, own: Own) {
  const { type, provider, ...others } = commonKeys(name);
  return z.strictObject({ type, provider, ...own, ...others });
}

/** As `channelSchema`, of a provider that doesn't heed the keys of its own: nobody reads them. */
export function idleSchema<const Name extends string>(name: Name, own: z.ZodRawShape): z.ZodObject<ReturnType<typeof commonKeys<Name>>, z.core.$strict> {
  return channelSchema(name, own);
}

export const COMMON_KEYS: readonly string[] = Object.keys(commonKeys(""));
