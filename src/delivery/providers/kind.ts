/**
 * What the job knows of a provider, whichever it is. Its own code is loaded where a message may
 * take it.
 */
import type * as z from "zod";
import type { ChannelType } from "../../channels/registry.js";
import type { OutgoingMessage, Provider } from "../types.js";
import type { SandboxProtocol } from "./sandbox-protocol.js";

/** What every provider's settings tell the job; the rest is the provider's own. */
export interface Settings {
  /** The provider is `opportune sandbox` on this machine: messages go there whatever the target. */
  readonly sandbox: boolean;
  /** Most time for one request; an answer later than this is in doubt. */
  readonly timeoutSeconds: number;
  readonly onDoubt: "hold" | "resend";
}

/** A channel as its provider is given it. */
export interface OwnChannel<S extends Settings> {
  name: string;
  /** Requests under way at once. */
  inFlight: number;
  settings: S;
}

/** A setting that doesn't fit the others of its channel. `key` null: the channel as a whole. */
export interface Misfit {
  key: string | null;
  code: string;
  message: string;
  hint: string;
}

/**
 * One provider. `src/delivery/providers/registry.ts` lists them; a provider is a file or a folder
 * here, and its line there.
 */
export interface ProviderKind<Name extends string = string, S extends Settings = Settings> {
  /** As `provider` in opportune.yml names it. */
  readonly name: Name;
  /** As people call it. */
  readonly title: string;
  /** The types of channels that it serves; null: each. */
  readonly serves: readonly ChannelType[] | null;
  /** What a channel of this provider may hold, common keys included: see `channelSchema`. */
  readonly schema: z.ZodObject;
  /** Keys whose values are never shown. */
  readonly secretKeys: readonly string[];
  /** Keys that it takes and doesn't heed: each is warned of. */
  readonly idleKeys: readonly string[];
  /**
   * Its necessary keys as one writes them first, for hints and for the files that `init` writes.
   */
  readonly example: Readonly<Record<string, string>>;
  /** What the schema can't say. `path`: the channel, as messages name it, `channels.email`. */
  misfits(path: string, written: z.output<z.ZodObject>): readonly Misfit[];
  settings(written: z.output<z.ZodObject>): S;
  /** Secrets of a channel by the key that holds each. */
  secrets(settings: S): Readonly<Record<string, string>>;
  /** For `opportune debug`: where messages go, and whether the key to that place is there. */
  facts(settings: S): { place: string; key: boolean };
  /**
   * Opens the provider; absent where its messages stay on this machine, as files. `compareClocks`:
   * an answer's time that is far from this machine's clock stops the channel.
   * @throws OpportuneError where a setting can't be used
   */
  open?(channel: OwnChannel<S>, options: { compareClocks: boolean }): Promise<Provider>;
  /** What would be posted of a message, or why nothing is; absent where there is no request. */
  request?(message: OutgoingMessage): Promise<object>;
  /** How `opportune sandbox` answers in its place; absent where it doesn't. */
  readonly sandbox?: {
    /** Beside provider and sandbox: the keys of a channel that sends to the sandbox at `url`. */
    channel(url: string, key: string | undefined): Readonly<Record<string, string>>;
    protocol(): Promise<SandboxProtocol>;
  };
}
