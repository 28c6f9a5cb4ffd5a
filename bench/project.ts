/** The project that the benchmark runs: twenty segments of two steps, a goal, an exclusion, caps, quiet hours, one mail. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { IN_FLIGHT } from "./provider.js";

export const SEGMENTS = 20;

/** `mixed`: half of the segments look at all history, half are bounded. */
export type Repeat = "mixed" | "bounded" | "never";

export interface ProjectOptions {
  /** The target's keys, as YAML in one line. */
  target: string;
  endpoint: string;
  repeat: Repeat;
  maxPerRun: number;
  /** Default: SEGMENTS. */
  segments?: number;
}

function repeatOf(segment: number, repeat: Repeat): string {
  if (repeat === "never" || (repeat === "mixed" && segment % 2 === 0)) return "never";
  return segment % 4 === 1 ? "every 30 days" : "each_occurrence";
}

/** The mail's HTML, without front matter. */
export const MAIL = `<html><head><style>p { color: #333; font-size: 16px }</style></head><body><p>Hello {{first_name}},</p><p>your basket of {{money total "EUR"}} is waiting.</p>
<p><a href="https://shop.example/basket?user={{url user_id}}">Open your basket</a></p></body></html>
`;

export const SUBJECT = "{{first_name}}, your basket in {{city}}";

/** Writes the project's folder, over what is there. */
export function writeProject(root: string, { target, endpoint, repeat, maxPerRun, segments = SEGMENTS }: ProjectOptions): void {
  for (const folder of ["segments/audiences", "templates/layouts"]) mkdirSync(join(root, folder), { recursive: true });
  const write = (file: string, text: string): void => {
    writeFileSync(join(root, file), text);
  };
  write(
    "opportune.yml",
    `name: bench
target: bench
targets:
  bench: {${target}}
channels:
  email: {provider: sendgrid, sandbox: true, api_key: SG.bench, endpoint: "${endpoint}", from: "Bench <bench@example.com>", rate: 1000000, in_flight: ${String(IN_FLIGHT)}}
policy:
  quiet_hours: {from: "23:00", to: "07:00"}
  caps:
    - {max: 20, per: 48 hours}
    - {max: 10, per: 1 hour}
  spacing: 1 minute
  exclude: [blocked]
  max_per_run: ${String(maxPerRun)}
  surge: false
`,
  );
  for (let i = 0; i < segments; i++) {
    write(
      `segments/segment_${String(i)}.sql`,
      `/*---
status: live
priority: ${String(i)}
topic: bench
repeat: ${repeatOf(i, repeat)}
goal: bought
first_run: send
steps:
  - {name: first, after: 10 minutes, within: 24 hours, channel: email, template: offer}
  - {name: second, after: 2 days, within: 24 hours, channel: email, template: offer}
---*/
select b.user_id, u.email, u.timezone, u.first_name, u.city, b.total, b.occurred_at
from behaviours b join users u using (user_id)
where b.segment = ${String(i)} and b.occurred_at > {{ago "4 days"}}
`,
    );
  }
  write("segments/audiences/bought.sql", '/*---\n---*/\nselect user_id, occurred_at from purchases where occurred_at > {{ago "4 days"}}\n');
  write("segments/audiences/blocked.sql", "/*---\n---*/\nselect user_id from blocked\n");
  write("templates/offer.hbs", `---\nsubject: "${SUBJECT}"\npreheader: It is still there\nlayout: none\n---\n${MAIL}`);
}
