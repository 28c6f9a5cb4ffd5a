/** A user's story as a page that a marketer can read: what they heard, what they didn't and why, and what may come. */
import { reasonOf } from "../arbitration/reasons.js";
import { formatDuration } from "../core/durations.js";
import type { Audience, Policy, Segment } from "../project/types.js";
import { inWords, whoseZone, type MessageNames } from "../report/explain.js";
import { markup, NOTHING, page, type Markup } from "./html.js";
import type { Journey, StoryEvent, StoryZone } from "../report/story.js";
import { capsInUse, entriesOf, nextOf, spacedUntil, type Entry, type EntryKind, type Heard, type Next } from "../report/story-entries.js";
import { counted, visible } from "../report/tables.js";
import { timeIn } from "../report/times.js";

export interface StoryPage {
  user: string;
  /** How many the ledger holds; fewer may be shown. */
  events: number;
  shown: number;
  names: MessageNames;
  timezone: StoryZone;
  /** Of the last run, ISO 8601 UTC: what "now" is to the ledger. */
  asOf: string;
  heard: readonly Heard[];
  policy: Policy;
  segments: ReadonlyMap<string, Segment>;
  audiences: ReadonlyMap<string, Audience>;
}

const STYLE = `
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1rem 1rem; margin: 0 0 1rem; }
.events { border-left: 2px solid var(--line); margin: .5rem 0 0 .3rem; padding-left: 1rem; }
.events > li { padding: .35rem 0; position: relative; }
.events > li::before { content: ""; position: absolute; left: -1.36rem; top: .85rem; width: .65rem; height: .65rem; border-radius: 50%; border: 2px solid var(--card); background: var(--soft); }
.events > .sent::before { background: var(--good); } .events > .waiting::before { background: var(--wait); } .events > .trouble::before { background: var(--bad); }
.badge { display: inline-block; border-radius: 1rem; padding: .05rem .6rem; font-size: .85rem; font-weight: 600; background: var(--calm-back); }
.sent .badge { background: var(--good-back); color: var(--good); } .waiting .badge { background: var(--wait-back); color: var(--wait); }
.trouble .badge { background: var(--bad-back); color: var(--bad); }
.plain > li { padding: .2rem 0; } .plain > li + li { border-top: 1px solid var(--line); }
@media print { .card { break-inside: avoid-page; border-color: #999; } }
`;

/** The page asks for nothing, runs nothing, and everything in it that came from the warehouse is escaped. */
export function storyPage(journeys: readonly Journey[], about: StoryPage): string {
  const entries = journeys.map((journey) => ({ journey, entries: entriesOf(journey) }));
  const all = entries.flatMap((each) => each.entries);
  const many = (kind: EntryKind): number => all.filter((entry) => entry.kind === kind).length;
  const title = `What ${visible(about.user)} heard, and why not more`;
  const zone = about.timezone.name;
  const cut = about.events > about.shown ? ` The newest ${String(about.shown)} of ${counted(about.events, "event")} are shown (--limit).` : "";
  const body = markup`<header class="top">
<h1>${title}</h1>
<p>${counted(many("sent"), "message")} sent, ${counted(many("silent"), "silence")}, ${counted(many("waiting"), "wait")}${many("trouble") > 0 ? `, ${counted(many("trouble"), "message")} in trouble` : ""}, in ${counted(journeys.length, "journey")}.${cut}</p>
<p class="soft">Times are in ${zoneWords(about.timezone)}. The last run was as of ${when(about.asOf, zone, true)}.</p>
</header>
<main>
${nextSection(nextOf(journeys, about.segments, about.asOf), about)}
${rulesSection(about)}
${entries.map((each, index) => journeySection(each.journey, each.entries, about, index))}
</main>`;
  return page(title, STYLE, body);
}

function zoneWords(zone: StoryZone): string {
  const { name } = zone;
  return `${name}${whoseZone(zone)}${name === "UTC" ? "" : "; beside it in UTC"}`;
}

function nextSection(next: readonly Next[], about: StoryPage): Markup {
  const zone = about.timezone.name;
  const items = next.map(({ segment, key, step, channel, from, until, told }) => {
    const what = markup`<strong>${step}</strong> of ${segment}${key === "" ? "" : ` ${visible(key)}`}${channel === null ? "" : `, by ${channel}`}`;
    if (told === null) return markup`<li>${what}: falls due ${when(from, zone, true)}, if the segment still returns the user.</li>`;
    return markup`<li>${what}: asked again in each run until ${when(until, zone, true)}. <span class="soft">${sentence(inWords(told, about.names, writer(zone)))}</span></li>`;
  });
  const nothing = markup`<p>Nothing, unless the user shows another behaviour.</p>`;
  return markup`<section class="card" aria-labelledby="next">
<h2 id="next">What may come next</h2>
${items.length === 0 ? nothing : markup`<ol class="plain">${items}</ol>`}
</section>`;
}

function rulesSection({ policy, heard, asOf, timezone: { name: zone } }: StoryPage): Markup {
  const spaced = spacedUntil(policy, heard, asOf);
  const rules = [
    ...capsInUse(policy, heard, asOf).map(
      ({ name, used, max, fullUntil }) =>
        markup`<li>The cap of ${name}: <strong>${used} of ${max}</strong> used${fullUntil === null ? "" : markup`, full until ${when(fullUntil, zone, true)}`}.</li>`,
    ),
    ...(policy.spacingSeconds === null
      ? []
      : [
          markup`<li>At least ${formatDuration(policy.spacingSeconds)} between two messages${spaced === null ? ": passed" : markup`: not before ${when(spaced, zone, true)}`}.</li>`,
        ]),
    ...(policy.quietHours === null ? [] : [markup`<li>Quiet from ${policy.quietHours.from} to ${policy.quietHours.to} of the user's own day.</li>`]),
  ];
  if (rules.length === 0) return NOTHING;
  return markup`<section class="card" aria-labelledby="rules">
<h2 id="rules">What limits marketing to this user</h2>
<ul class="plain">${rules}</ul>
</section>`;
}

function journeySection({ segment, key, occurredAt }: Journey, entries: readonly Entry[], about: StoryPage, index: number): Markup {
  const zone = about.timezone.name;
  const days = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { day } = timeIn(entry.at, zone);
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  const description = about.segments.get(segment)?.description ?? null;
  const id = `journey-${String(index + 1)}`;
  return markup`<section class="card" aria-labelledby="${id}">
<h2 id="${id}">${segment}${key === "" ? NOTHING : markup` <span class="soft">${visible(key)}</span>`}</h2>
${description === null ? NOTHING : markup`<p>${description}</p>`}
<p class="soft">Behaviour of ${when(occurredAt, zone, true)}.</p>
<ol>
${[...days].map(
  ([day, of]) => markup`<li><h3>${day}</h3>
<ol class="events">
${of.map((entry) => entryItem(entry, entries.find(({ message }) => message === entry.message) === entry, about))}
</ol></li>
`,
)}</ol>
</section>
`;
}

/** `first`: of its message, where its window is told. */
function entryItem({ kind, title, message, told, at, outcomes }: Entry, first: boolean, about: StoryPage): Markup {
  const zone = about.timezone.name;
  const words = (event: StoryEvent): string => inWords(event, about.names, writer(zone));
  const before = outcomes.filter((event) => event !== told && event.event !== "sending");
  const { dueAt, expiresAt } = message;
  return markup`<li class="${kind}"><p><span class="badge">${title}</span> <strong>${message.step}</strong>${message.channel === null ? "" : ` by ${message.channel}`}, ${when(at, zone)}</p>
<p>${sentence(words(told))}${audienceOf(told, about)}${before.length === 0 ? "" : ` Before that: ${before.map(words).join("; ")}.`}</p>
${!first || dueAt === null ? NOTHING : markup`<p class="soft">Due ${when(dueAt, zone, true)}${expiresAt === null ? "" : markup`, until ${when(expiresAt, zone, true)}`}.</p>`}</li>
`;
}

/** Who is in the audience that a reason names: its name alone says little to who didn't write it. */
function audienceOf({ reason, rule, detail }: StoryEvent, { audiences }: StoryPage): string {
  const name = reason === "converted" ? detail["goal"] : reasonOf(reason)?.rule === "audience" ? rule : undefined;
  const description = audiences.get(String(name))?.description ?? null;
  return description === null ? "" : ` (${String(name)}: ${description})`;
}

/** `waits: the cap is full` as `Waits: the cap is full.` */
function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** An instant as the sentences have it. */
function writer(zone: string): (iso: string) => string {
  return (iso) => {
    const { day, clock, zone: name } = timeIn(iso, zone);
    return `${clock} ${name} on ${day}`;
  };
}

/** An instant in the user's zone and in UTC, with the day where it isn't told above it. */
function when(iso: string, zone: string, withDay = false): Markup {
  const local = timeIn(iso, zone);
  const utc = timeIn(iso, "UTC");
  const own = `${withDay ? `${local.day}, ` : ""}${local.clock} ${local.zone}`;
  const other = zone === "UTC" ? "" : ` (${utc.clock} UTC${utc.day === local.day ? "" : ` on ${utc.day}`})`;
  return markup`<time datetime="${iso}">${own}<span class="soft">${other}</span></time>`;
}
