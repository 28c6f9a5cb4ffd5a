/** Buckets, message ids and addresses, from their documented definitions. */
import { createHash } from "node:crypto";
import type { ChannelType, Segment, Step, Treatment } from "../../src/project/types.js";
import type { WorldRow } from "../support/world.js";
import { TEST_SALT } from "../support/world.js";

/** 2³²: buckets are the first 8 hex digits of an MD5. */
const BUCKETS = 2 ** 32;
/** RFC 5321's longest address. */
const LONGEST_EMAIL = 254;

function canonical(parts: readonly string[]): string {
  return parts.map((part) => `${[...part].length}:${part}`).join(",");
}

function md5(parts: readonly string[]): string {
  return createHash("md5").update(canonical(parts), "utf8").digest("hex");
}

/** 0 up to, not including, 2³². */
export function bucket(...parts: string[]): number {
  return Number.parseInt(md5([TEST_SALT, ...parts]).slice(0, 8), 16);
}

/** Whether a bucket is in the group of `percent` of 100. */
export function inGroup(value: number, percent: number): boolean {
  return value < Math.floor((percent / 100) * BUCKETS);
}

/** The message's identity: the anchor (ms since 1970) as microseconds, nothing for `repeat: never`; a trial's is another. */
export function messageId(segment: Segment, step: string, user: string, key: string, anchor: number, trial: boolean): string {
  const when = segment.repeat.kind === "never" ? "" : `${anchor}000`;
  return md5([TEST_SALT, segment.id, step, user, key, when, ...(trial ? ["trial"] : [])]);
}

/** A step as one user gets it; the name is empty where the step has no variants. */
export type Version = Treatment & { name: string };

/** What of a journey's claim tells its variant; `factor` is empty where the claim names none. */
type Drawn = Readonly<Record<"step" | "factor" | "variant", string>>;

/** The factor that a claim counts in: its own, else the one that its step has today, or would have by its name. */
function factorOf({ step, factor }: Drawn, segment: Segment): string {
  if (factor !== "") return factor;
  return segment.steps.find(({ name, variants }) => name === step && variants.length > 0)?.factor ?? step;
}

/** The variant of the journey's first claim in the step's factor if the step has one of that name, else the one drawn by the user's bucket. */
export function versionOf(segment: Segment, step: Step, user: string, claims: readonly Drawn[]): Version {
  if (step.variants.length === 0) return { ...step, name: "" };
  const kept = claims.find((claim) => claim.variant !== "" && factorOf(claim, segment) === step.factor);
  const same = step.variants.find((variant) => variant.name === kept?.variant);
  if (same !== undefined) return same;
  const total = step.variants.reduce((sum, variant) => sum + variant.weight, 0);
  const drawn = bucket("variant", user, segment.id, step.factor);
  let upTo = 0;
  for (const variant of step.variants) {
    upTo += variant.weight;
    if (inGroup(drawn, (upTo / total) * 100)) return variant;
  }
  return step.variants.at(-1) as Version;
}

/** The address as the channel type reads it from the row, normalised; null when it is null, blank or malformed. */
export function addressOf(row: WorldRow, type: ChannelType): string | null {
  switch (type) {
    case "email":
      return emailOf(row.email);
    case "sms":
      return tokenOf(row.phone);
    case "push":
      return tokenOf(row.device_token);
    case "in_app":
    case "webhook":
      return row.user_id === null ? null : userOf(row.user_id);
  }
}

/** A user's id in its one form: '7.00' is 7, a UUID has small letters. */
export function userOf(text: string): string {
  const id = trimmed(text);
  if (/^-?\d+\.0+$/u.test(id)) return id.slice(0, id.indexOf("."));
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu.test(id);
  return isUuid ? id.toLowerCase() : id;
}

/** The form in which a suppression's address is compared. */
export function suppressedAddress(address: string, type: ChannelType | undefined): string {
  if (type === "email") return trimmed(address).toLowerCase();
  return type === "in_app" || type === "webhook" ? userOf(address) : trimmed(address);
}

/** The one form of a channel's or topic's name; null for none. */
export function nameOf(text: string | null): string | null {
  const name = trimmed(text ?? "").toLowerCase();
  return name === "" ? null : name;
}

/** Only spaces are trimmed: a tab at the end is white space in the address. */
function trimmed(text: string): string {
  return text.replace(/^ +| +$/gu, "");
}

function emailOf(text: string | null | undefined): string | null {
  const email = trimmed(text ?? "");
  if ([...email].length > LONGEST_EMAIL) return null;
  if (/[\s\p{Cc}<>,;:"()[\]\\]/u.test(email)) return null;
  return /^[^@]+@[^@]+\.[^@]+$/u.test(email) ? email.toLowerCase() : null;
}

function tokenOf(text: string | null | undefined): string | null {
  const token = trimmed(text ?? "");
  return token === "" || /[\s\p{Cc}]/u.test(token) ? null : token;
}
