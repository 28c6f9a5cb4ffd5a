/** What `opportune init` writes for a warehouse of one's own: a project with one example, which runs before any table is named. */
import { stringify } from "yaml";
import { providerFor } from "../../delivery/providers/registry.js";
import type { WrittenSource } from "../../project/written/dbt-manifest.js";
import type { Known } from "../../project/targets/target.js";
import type { WarehouseType } from "../../core/warehouses.js";
import { typeOf } from "../../project/targets/targets.js";

export interface Starter extends Known {
  name: string;
  warehouse: WarehouseType;
  sources: ReadonlyMap<string, WrittenSource>;
}

/** Files of the project by path, but for what the shipped example gives: layouts and partials. */
export function starterFiles(starter: Starter): Record<string, string> {
  return {
    "opportune.yml": projectFile(starter),
    "segments/example.sql": SEGMENT,
    "segments/audiences/started.sql": GOAL,
    "segments/audiences/open_tickets.sql": EXCLUDED,
    "templates/example.hbs": TEMPLATE,
  };
}

/** YAML of a single value, on one line. */
function yaml(value: unknown): string {
  return stringify(value, { singleQuote: true, lineWidth: 0 }).trimEnd();
}

function projectFile(starter: Starter): string {
  const { name, warehouse, sources } = starter;
  const sending = providerFor("email");
  return `# Every key is in docs/configuration.md of the package.
name: ${yaml(name)}
target: dev

targets:
  # Messages become files under target/opportune/outbox/ until a target says \`live: true\`.
  dev:${typeOf(warehouse).starter(starter)}

channels:
  email:
    provider: outbox
    from: ${JSON.stringify(`${name.replaceAll(/[<>@\r\n]/g, " ")} <hello@example.com>`)}
    # To send:
    # provider: ${sending.name}
${Object.entries(sending.example)
  .map(([key, value]) => `    # ${key}: ${value}`)
  .join("\n")}

policy:
  timezone: UTC                 # for users without a known zone of their own
  quiet_hours: {from: "21:00", to: "08:00"}
  caps:
    - {max: 2, per: 48 hours}
    - {max: 4, per: 14 days}
  spacing: 4 hours
  # exclude: [staff]            # audiences under segments/audiences/ that hear nothing, whatever the segment
  # require: [consented]        # and that a user must be in

# Tables, for {{source "users"}} in SQL. With loaded_at, messages wait for data that has not arrived yet.
${sourcesBlock(sources)}
interval: 5 minutes             # how often the job runs

lint:
  no-postal-address: the footer has none yet   # put yours into templates/layouts/base.hbs, and take this out
`;
}

function sourcesBlock(sources: ReadonlyMap<string, WrittenSource>): string {
  if (sources.size > 0) return stringify({ sources: Object.fromEntries(sources) }, { singleQuote: true, lineWidth: 0 });
  return `sources: {}
#  users: public.users
#  orders: {table: public.orders, loaded_at: loaded_at, stale_after: 3 hours}
`;
}

const SEGMENT = `/*---
# A segment says who shows a behaviour, and when. All keys are in docs/segments.md of the package.
description: An example, to be replaced by a behaviour of your users
because: You have an account with us.   # the footer's "why am I getting this"
status: draft                           # draft: dry runs and previews alone; live: it sends
signal: recency
topic: examples                         # what people opt out of
repeat: never                           # or each_occurrence, or every 30 days
goal: started                           # segments/audiences/started.sql: reaching it ends the messages
exclude: [open_tickets]                 # segments/audiences/open_tickets.sql: they hear nothing
steps:
  - {name: hello, after: 0 minutes, within: 24 hours, channel: email, template: example}
columns:
  first_name: {required: true}          # a row without it is not sent, and the ledger says so
---*/
select user_id, email, 'UTC' as timezone, first_name, signed_up_at as occurred_at
from (
  -- Three users out of thin air, so that it runs on any warehouse. Yours is a table, named under sources in opportune.yml.
  select 'u1' as user_id, 'ada@example.com' as email, 'Ada' as first_name, {{ago "1 hour"}} as signed_up_at
  union all select 'u2', 'ben@example.com', 'Ben', {{ago "2 hours"}}
  union all select 'u3', 'chiara@example.com', 'Chiara', {{ago "3 hours"}}
) as users
where signed_up_at > {{ago "3 days"}}   -- as long as the last step may be due, and a little more

{{!-- With tables of your own:

select user_id, email, timezone, first_name, signed_up_at as occurred_at
from {{source "users"}}
where signed_up_at > {{ago "3 days"}}
--}}
`;

const GOAL = `/*---
description: Who has begun, and when
---*/
select 'u2' as user_id, {{as_of}} as occurred_at
`;

const EXCLUDED = `/*---
description: Who waits for an answer from support
---*/
select 'u3' as user_id
`;

const TEMPLATE = `---
subject: 'Your account of {{date occurred_at "long"}}: one step to go'
preheader: 'The one thing that is worth doing first, {{first_name}}.'
---
<h1>Your account is ready</h1>
<p>Hello {{first_name}},</p>
<p>You signed up on {{date occurred_at "long"}}. A few minutes are enough to have everything set up.</p>
{{> button href="https://www.example.com/start" label="Set up your account"}}
`;
