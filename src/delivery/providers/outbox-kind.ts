/**
 * The provider that sends nothing: its settings. Lanes open one outbox for all channels (lanes.ts).
 */
import type * as z from "zod";
import type { ProviderKind, Settings } from "./kind.js";
import { COMMON_KEYS, idleSchema } from "./schema.js";

/** A disk is given as long as a provider. */
const SETTINGS: Settings = { sandbox: false, timeoutSeconds: 30, onDoubt: "hold" };

/**
 * The outbox, which stands in for any other provider while a channel is tried out: the keys of the
 * others may stay, and are warned of. `sandbox` is an error by itself (rules.ts).
 */
export function outboxBeside(others: readonly Pick<ProviderKind, "schema">[]) {
  const theirs: Record<string, z.ZodOptional> = {};
  for (const { schema } of others) {
    for (const [key, value] of Object.entries(schema.shape)) {
      if (!COMMON_KEYS.includes(key)) theirs[key] ??= (value as z.ZodType).optional();
    }
  }
  return {
    name: "outbox",
    title: "the outbox",
    serves: null,
    schema: idleSchema("outbox", theirs),
    secretKeys: [],
    idleKeys: Object.keys(theirs).filter((key) => key !== "sandbox"),
    example: {},
    misfits: () => [],
    settings: () => SETTINGS,
    secrets: () => ({}),
    facts: () => ({ place: "files", key: true }),
  } as const satisfies ProviderKind<"outbox">;
}
