/**
 * Every provider there is. A new one is a file or a folder beside this, and its line in the list.
 */
import * as z from "zod";
import type { ChannelType } from "../../channels/registry.js";
import { outboxBeside } from "./outbox-kind.js";
import type { ProviderKind } from "./kind.js";
import { sendgrid } from "./sendgrid/sendgrid.js";

const SENDING = [sendgrid] as const;

/** The outbox takes the place of any other, so it knows their keys. */
const PROVIDERS = [...SENDING, outboxBeside(SENDING)] as const;

type Kind = (typeof PROVIDERS)[number];
export type ProviderName = Kind["name"];

/** A channel's provider and its settings, of which each provider has its own. */
export type ProvidedBy = { [K in Kind as K["name"]]: { provider: K["name"]; settings: ReturnType<K["settings"]> } }[ProviderName];

export const PROVIDER_KINDS: readonly ProviderKind<ProviderName>[] = PROVIDERS;

const [first, ...others] = PROVIDERS;

/** A channel of opportune.yml, as its provider has it. */
export const anyChannel = z.discriminatedUnion("provider", [first.schema, ...others.map(({ schema }) => schema)]);

export function providerKind(name: ProviderName): ProviderKind<ProviderName> {
  const kind = PROVIDER_KINDS.find((each) => each.name === name);
  if (kind === undefined) throw new TypeError(`No provider ${name}`);
  return kind;
}

/** A channel's provider, with the settings that it makes of what is written. */
export function providedBy(written: z.output<typeof anyChannel>): ProvidedBy {
  const { provider } = written;
  // What a kind makes of its own channel is its own: the name says which.
  return { provider, settings: providerKind(provider).settings(written) } as ProvidedBy;
}

/** Whether a channel's messages leave this machine's disk, or would on a live target. */
export function leaves({ provider }: { provider: ProviderName }): boolean {
  return providerKind(provider).open !== undefined;
}

/** The provider to send a type of channel with, where a project names none yet. */
export function providerFor(type: ChannelType): ProviderKind<ProviderName> {
  const kind = PROVIDER_KINDS.find(({ serves }) => serves?.includes(type) === true);
  if (kind === undefined) throw new TypeError(`No provider for channels of type ${type}`);
  return kind;
}

/**
 * Channels that send to the sandbox at `url`, as opportune.yml holds them, by type: one for each
 * type that it takes. `key`: the one that it takes; undefined: any.
 */
export function sandboxChannels(url: string, key?: string): Map<string, Readonly<Record<string, string | boolean>>> {
  return new Map(
    PROVIDER_KINDS.flatMap(({ name, serves, sandbox }) =>
      sandbox === undefined ? [] : (serves ?? []).map((type) => [type, { provider: name, sandbox: true, ...sandbox.channel(url, key) }] as const),
    ),
  );
}

/** Keys of channels that hold a secret with some provider. */
export const SECRET_KEYS: ReadonlySet<string> = new Set(PROVIDER_KINDS.flatMap(({ secretKeys }) => secretKeys));
