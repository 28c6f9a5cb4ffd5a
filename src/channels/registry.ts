/**
 * Every type of channel there is. A new one is a file beside these, and its line in the list. Where
 * it brings an address of its own, rows get its column from here (`ADDRESS_COLUMNS`); the
 * candidates of sql/arbitrate name the columns themselves.
 */
import { email } from "./email.js";
import { inApp } from "./in-app.js";
import { push } from "./push.js";
import { sms } from "./sms.js";
import type { Address, ChannelKind } from "./types.js";
import { webhook } from "./webhook.js";

const KINDS = [email, sms, push, inApp, webhook] as const;

export type ChannelType = (typeof KINDS)[number]["name"];
/** The column of a row that holds an address. Each has a form of its own. */
export type AddressKind = (typeof KINDS)[number]["address"]["column"];

export const CHANNEL_TYPES: readonly ChannelType[] = KINDS.map(({ name }) => name);

const BY_NAME: ReadonlyMap<string, ChannelKind<ChannelType, AddressKind>> = new Map(KINDS.map((kind) => [kind.name, kind]));
const BY_COLUMN: ReadonlyMap<string, Address<AddressKind>> = new Map(KINDS.map(({ address }) => [address.column, address]));

export function channelKind(type: ChannelType): ChannelKind<ChannelType, AddressKind> {
  return found(BY_NAME.get(type), type);
}

export function addressOf(column: AddressKind): Address<AddressKind> {
  return found(BY_COLUMN.get(column), column);
}

/**
 * Columns of rows that hold addresses of their own, in the order of the list: not the user's id,
 * which every row has.
 */
export const ADDRESS_COLUMNS: readonly AddressKind[] = [...BY_COLUMN.values()].filter(({ check }) => check !== null).map(({ column }) => column);

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new TypeError(`No channel type or address ${name}`);
  return value;
}
