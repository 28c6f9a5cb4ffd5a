/** Slips that people make, and exactly what they are told. */
import { BASE, edited, type Files } from "./support.js";

export interface BrokenCase {
  name: string;
  files: Files;
  options?: { target?: string; env?: NodeJS.ProcessEnv };
  expected: readonly string[];
}

const main = (from: string, to: string): Files => edited("opportune.yml", from, to);
const segment = (from: string, to: string): Files => edited("segments/cart.sql", from, to);
const policy = (lines: string): Files => main("sources:", `policy:\n${lines}\nsources:`);

export const CASES: readonly BrokenCase[] = [
  {
    name: "unknown key at the top",
    files: main("sources:", "polcy: {}\nsources:"),
    expected: [
      'opportune.yml:6:1: Unknown key "polcy"; allowed: name, target, targets, channels, policy, sources, vars, interval, links, lint. | Did you mean "policy"?',
    ],
  },
  {
    name: "unknown key deep inside",
    files: main("path: shop.duckdb", "path: x, thread: 4"),
    expected: [
      'opportune.yml:3:32: Unknown key "thread" in targets.dev; allowed: type, path, schema, live, allow, outbox, on_alert, wait_for_lock, memory_limit, threads. | Did you mean "threads"?',
    ],
  },
  {
    name: "unknown key in a step, near a known one",
    files: segment("channel: email", "chanel: email"),
    expected: [
      "segments/cart.sql:5:5: channel is missing in steps.0; expected the name of a channel.",
      'segments/cart.sql:7:5: Unknown key "chanel" in steps.0; allowed: name, after, within, channel, template, variants, factor. | Did you mean "channel"?',
    ],
  },
  {
    name: "unknown key far from all",
    files: segment("status: live", "status: live\nfrequency: 3"),
    expected: [
      'segments/cart.sql:3:1: Unknown key "frequency"; allowed: id, description, because, status, signal, class, priority, topic, key, repeat, goal, exclude, require, holdout, max_per_run, first_run, every, max_bytes_billed, steps, columns, keep_properties, lint, after, within, channel, template.',
    ],
  },
  {
    name: "unknown status",
    files: segment("status: live", "status: lve"),
    expected: ['segments/cart.sql:2:9: status is "lve"; expected one of draft, live, paused. | Did you mean "live"?'],
  },
  {
    name: "unknown warehouse",
    files: main("type: duckdb", "type: duckbd"),
    expected: ['opportune.yml:3:15: targets.dev.type is "duckbd"; expected one of duckdb, postgres, snowflake, bigquery. | Did you mean "duckdb"?'],
  },
  {
    name: "no warehouse type",
    files: main("type: duckdb, ", ""),
    expected: ["opportune.yml:3:8: type is missing in targets.dev; expected one of duckdb, postgres, snowflake, bigquery."],
  },
  {
    name: "no targets",
    files: main("  dev: {type: duckdb, path: shop.duckdb}", "  {}"),
    expected: ["opportune.yml:3:3: targets is an empty mapping; expected at least one target."],
  },
  {
    name: "empty opportune.yml",
    files: { ...BASE, "opportune.yml": "# nothing yet\n" },
    expected: ["opportune.yml:1:1: name is missing; expected text.", "opportune.yml:1:1: targets is missing; expected a mapping."],
  },
  {
    name: "a list for opportune.yml",
    files: { ...BASE, "opportune.yml": "- a\n- b\n" },
    expected: ["opportune.yml:1:1: The YAML is a list; expected a mapping."],
  },
  {
    name: "misspelt unit",
    files: segment("10 minutes", "10 minuts"),
    expected: [
      'segments/cart.sql:6:12: steps.0.after is "10 minuts"; expected a duration such as 10 minutes, 24 hours or 7 days. | Did you mean "10 minutes"?',
    ],
  },
  {
    name: "abbreviated unit",
    files: segment("10 minutes", "10m"),
    expected: ['segments/cart.sql:6:12: steps.0.after is "10m"; expected a duration such as 10 minutes, 24 hours or 7 days. | Did you mean "10 minutes"?'],
  },
  {
    name: "a number for a duration",
    files: segment("10 minutes", "600"),
    expected: ["segments/cart.sql:6:12: steps.0.after is 600; expected a duration such as 10 minutes, 24 hours or 7 days."],
  },
  {
    name: "units in the wrong order",
    files: segment("10 minutes", "30 minutes 1 hour"),
    expected: ['segments/cart.sql:6:12: steps.0.after is "30 minutes 1 hour"; expected a duration such as 10 minutes, 24 hours or 7 days.'],
  },
  {
    name: "no window at all",
    files: segment("after: 10 minutes", "within: 0 minutes"),
    expected: ['segments/cart.sql:6:13: steps.0.within is "0 minutes"; expected a duration such as 10 minutes, 24 hours or 7 days, longer than 0.'],
  },
  {
    name: "misspelt repeat",
    files: segment("status: live", "repeat: each_occurence"),
    expected: [
      'segments/cart.sql:2:9: repeat is "each_occurence"; expected never, each_occurrence or every and a duration, such as every 30 days. | Did you mean "each_occurrence"?',
    ],
  },
  {
    name: "repeat without every",
    files: segment("status: live", "repeat: 30 days"),
    expected: ['segments/cart.sql:2:9: repeat is "30 days"; expected never, each_occurrence or every and a duration, such as every 30 days.'],
  },
  {
    name: "capital letters in a name",
    files: segment("name: nudge", "name: FirstNudge"),
    expected: [
      'segments/cart.sql:5:11: steps.0.name is "FirstNudge"; expected a name of lower-case letters, digits and _, beginning with a letter. | Did you mean "first_nudge"?',
    ],
  },
  {
    name: "capital letters in a key",
    files: main("  email: {", "  E-mail: {type: email, "),
    expected: [
      'opportune.yml:5:3: "E-mail" in channels is no allowed name; expected a name of lower-case letters, digits and _, beginning with a letter. | Did you mean "e_mail"?',
      'segments/cart.sql:7:14: Unknown channel "email" in steps.0.channel; known: none. | Add it to channels in opportune.yml.',
    ],
  },
  {
    name: "file name that is no id",
    files: { ...BASE, "segments/Cart-2.sql": BASE["segments/cart.sql"] ?? "" },
    expected: [
      "segments/Cart-2.sql:1:1: The file's name makes the segment's id \"Cart-2\"; expected a name of lower-case letters, digits and _, beginning with a letter. | Rename the file, or write id: cart_2 into its front matter.",
    ],
  },
  {
    name: "misspelt audience",
    files: segment("goal: ordered", "goal: {audience: orderd, within: 7 days}"),
    expected: ['segments/cart.sql:3:18: Unknown audience "orderd" in goal.audience; known: ordered. | Did you mean "ordered"?'],
  },
  {
    name: "unknown audience in a list",
    files: segment("goal: ordered", "exclude: [ordered, open_tickets]"),
    expected: ['segments/cart.sql:3:20: Unknown audience "open_tickets" in exclude; known: ordered. | Write segments/audiences/open_tickets.sql.'],
  },
  {
    name: "unknown audience of the project",
    files: policy("  require: [consented]"),
    expected: ['opportune.yml:7:13: Unknown audience "consented" in policy.require; known: ordered. | Write segments/audiences/consented.sql.'],
  },
  {
    name: "unknown channel",
    files: segment("channel: email", "channel: emial"),
    expected: ['segments/cart.sql:7:14: Unknown channel "emial" in steps.0.channel; known: email. | Did you mean "email"?'],
  },
  {
    name: "unknown template",
    files: segment("cart_email", "cart_mail"),
    expected: ['segments/cart.sql:8:15: Unknown template "cart_mail" in steps.0.template; known: cart_email. | Did you mean "cart_email"?'],
  },
  {
    name: "unknown template in a variant",
    files: segment("cart_email", "cart_email\n    variants:\n      a: {weight: 1}\n      b: {template: other}"),
    expected: ['segments/cart.sql:11:21: Unknown template "other" in steps.0.variants.b.template; known: cart_email. | Write templates/other.hbs.'],
  },
  {
    name: "unknown source",
    files: segment('source "carts"', 'source "cart"'),
    expected: ['segments/cart.sql:10:64: Unknown source "cart"; known: carts. | Did you mean "carts"?'],
  },
  {
    name: "unknown source in a query on the front matter's last line",
    files: { ...BASE, "segments/audiences/ordered.sql": '/*--- {} ---*/ select {{source "nope"}}' },
    expected: ['segments/audiences/ordered.sql:1:32: Unknown source "nope"; known: carts. | Add it to sources in opportune.yml.'],
  },
  {
    name: "unknown audience in a query",
    files: segment('source "carts"', 'audience "orderd"'),
    expected: ['segments/cart.sql:10:66: Unknown audience "orderd"; known: ordered. | Did you mean "ordered"?'],
  },
  {
    name: "an audience to build on without quotes",
    files: segment('source "carts"', "audience ordered"),
    expected: ['segments/cart.sql:10:57: {{audience}} takes a name in quotes. | Write for example {{audience "customers"}}.'],
  },
  {
    name: "audiences that build on each other",
    files: {
      ...BASE,
      "segments/audiences/ordered.sql": 'select user_id, occurred_at from {{audience "big"}} b',
      "segments/audiences/big.sql": '/*---\nmin_rows: 1\n---*/\nselect user_id, occurred_at from {{audience "best"}} b',
      "segments/audiences/best.sql": 'select user_id, occurred_at from {{audience "big"}} b',
      "segments/audiences/self.sql": 'select user_id, occurred_at from {{ audience "self" }} s',
    },
    expected: [
      'segments/audiences/best.sql:1:1: The audience "best" builds on itself: best → big → best. | Take one of these {{audience}} out, or move what they share into an audience of its own.',
      'segments/audiences/self.sql:1:1: The audience "self" builds on itself: self → self. | Take one of these {{audience}} out, or move what they share into an audience of its own.',
    ],
  },
  {
    name: "unknown var, further down",
    files: segment('"carts"}}', '"carts"}}\n where total > {{var "least"}}'),
    expected: ['segments/cart.sql:11:22: Unknown var "least"; known: none. | Add it to vars in opportune.yml.'],
  },
  {
    name: "open braces in SQL",
    files: segment('"carts"}}', '"carts"'),
    expected: [
      'segments/cart.sql:10: The braces in this SQL can\'t be read: a {{ is never closed. | Inside {{ }} go as_of, ago "7 days", before "column" "1 day", source "name", var "name", audience "name".',
    ],
  },
  {
    name: "mismatched block in SQL",
    files: segment('"carts"}}', '"carts"}}\n{{#if x}} {{/each}}'),
    expected: [
      'segments/cart.sql:11:4: The braces in this SQL can\'t be read: if doesn\'t match each. | Inside {{ }} go as_of, ago "7 days", before "column" "1 day", source "name", var "name", audience "name".',
    ],
  },
  {
    name: "cap on an unknown channel",
    files: policy("  caps:\n    - {max: 2, per: 48 hours, channel: sms}"),
    expected: ['opportune.yml:8:40: Unknown channel "sms" in policy.caps.0.channel; known: email. | Add it to channels in opportune.yml.'],
  },
  {
    name: "cap on an unknown topic",
    files: policy("  caps: [{max: 2, per: 48 hours, topic: carts}]"),
    expected: ['opportune.yml:7:41: Unknown topic "carts" in policy.caps.0.topic; known: none. | A segment names its topic with topic:'],
  },
  {
    name: "two caps alike",
    files: policy("  caps:\n    - {max: 2, per: 48 hours}\n    - {max: 2, per: 48 hours}"),
    expected: ['opportune.yml:9:7: The cap "2 per 48 hours" stands twice. | Give one of them a name:'],
  },
  {
    name: "cap of nothing, without a window",
    files: policy("  caps: [{max: 0}]"),
    expected: [
      "opportune.yml:7:10: per is missing in policy.caps.0; expected a duration such as 10 minutes, 24 hours or 7 days.",
      "opportune.yml:7:16: policy.caps.0.max is 0; expected a whole number from 1.",
    ],
  },
  {
    name: "unknown time zone",
    files: policy("  timezone: Europe/Berln"),
    expected: [
      'opportune.yml:7:13: policy.timezone is "Europe/Berln"; expected an IANA time zone such as Europe/Berlin or UTC. | Did you mean "Europe/Berlin"?',
    ],
  },
  {
    name: "an offset for a time zone",
    files: policy('  timezone: "+02:00"'),
    expected: ['opportune.yml:7:13: policy.timezone is "+02:00"; expected an IANA time zone such as Europe/Berlin or UTC.'],
  },
  {
    name: "an offset with a Unicode minus",
    files: policy('  timezone: "\u221202:00"'),
    expected: ['opportune.yml:7:13: policy.timezone is "\u221202:00"; expected an IANA time zone such as Europe/Berlin or UTC.'],
  },
  {
    name: "an abbreviation for a time zone",
    files: policy("  timezone: PST"),
    expected: ['opportune.yml:7:13: policy.timezone is "PST"; expected an IANA time zone such as Europe/Berlin or UTC.'],
  },
  {
    name: "hour out of range",
    files: policy("  quiet_hours: {from: 24:00, to: 08:00}"),
    expected: ['opportune.yml:7:23: policy.quiet_hours.from is "24:00"; expected a time of day from "00:00" to "23:59".'],
  },
  {
    name: "quiet hours without an end",
    files: policy('  quiet_hours: {from: "21:00"}'),
    expected: ['opportune.yml:7:16: to is missing in policy.quiet_hours; expected a time of day from "00:00" to "23:59".'],
  },
  {
    name: "quiet hours of no time",
    files: policy('  quiet_hours: {from: "21:00", to: "21:00"}'),
    expected: ['opportune.yml:7:36: policy.quiet_hours is from "21:00" to "21:00", which is no time or all day. | Leave quiet_hours out to send at any hour.'],
  },
  {
    name: "holdout over 100",
    files: policy("  holdout: 110%"),
    expected: ['opportune.yml:7:12: policy.holdout is "110%"; expected a percentage from 0 to 100, such as 10 or 10%.'],
  },
  {
    name: "text for a list",
    files: policy("  exclude: ordered"),
    expected: ['opportune.yml:7:12: policy.exclude is "ordered"; expected a list.'],
  },
  {
    name: "steps due at the same time",
    files: segment("---*/", "  - {name: again, after: 600 seconds, channel: email, template: cart_email}\n---*/"),
    expected: ['segments/cart.sql:9:26: The steps "nudge" and "again" both fall due after 10 minutes; taken: 10 minutes. | Give each step its own after.'],
  },
  {
    name: "a variant due with another step",
    files: segment(
      "---*/",
      "  - name: again\n    after: 1 hour\n    channel: email\n    template: cart_email\n    variants: {a: {}, b: {after: 10 minutes}}\n---*/",
    ),
    expected: [
      'segments/cart.sql:13:34: The steps "nudge" and "again" both fall due after 10 minutes; taken: 10 minutes, 1 hour. | Give each step its own after.',
    ],
  },
  {
    name: "two steps of one name",
    files: segment("---*/", "  - {name: nudge, after: 1 hour, channel: email, template: cart_email}\n---*/"),
    expected: ['segments/cart.sql:9:12: The step "nudge" stands twice. | Give each step its own name.'],
  },
  {
    name: "one variant",
    files: segment("cart_email", "cart_email\n    variants: {a: {weight: 1}}"),
    expected: ["segments/cart.sql:9:15: steps.0.variants is a mapping; expected two or more variants."],
  },
  {
    name: "a factor without variants",
    files: segment("template: cart_email", "template: cart_email\n    factor: tone"),
    expected: ["segments/cart.sql:9:5: steps.0.factor has no effect, as the step has no variants. | Add variants:, or leave factor out."],
  },
  ...(
    [
      ["other names in one factor", "{a: {}, c: {}}", "a (weight 1), c (weight 1)"],
      ["other weights in one factor", "{a: {}, b: {weight: 2}}", "a (weight 1), b (weight 2)"],
      ["another order in one factor", "{b: {}, a: {}}", "b (weight 1), a (weight 1)"],
    ] as const
  ).map(([name, variants, found]) => ({
    name,
    files: segment(
      "---*/",
      `    factor: tone\n    variants: {a: {}, b: {}}\n  - {name: again, after: 1 hour, channel: email, template: cart_email, factor: tone, variants: ${variants}}\n---*/`,
    ),
    expected: [
      `segments/cart.sql:11:86: The step "again" has the variants ${found}, but "nudge", of the same factor "tone", has a (weight 1), b (weight 1). | Write the same names, weights and order, or another factor:`,
    ],
  })),
  {
    name: "two factors that each may say which step comes first",
    files: segment(
      "---*/",
      "    variants: {a: {}, b: {after: 3 hours}}\n  - {name: again, after: 1 hour, channel: email, template: cart_email, variants: {a: {}, b: {after: 4 hours}}}\n---*/",
    ),
    expected: [
      'segments/cart.sql:10:72: "nudge" or "again" is the first step, by variants of two factors: "nudge" and "again". | Give both the same factor:, or move one of them past the other.',
    ],
  },
  {
    name: "transactional each_occurrence without a key",
    files: segment("status: live", "class: transactional\nrepeat: each_occurrence"),
    expected: [
      "segments/cart.sql:3:9: A transactional segment with repeat: each_occurrence needs a key. | Name the column that tells occurrences apart, such as key: order_id.",
    ],
  },
  {
    name: "excluded and required",
    files: segment("goal: ordered", "exclude: [ordered]\nrequire: [ordered]"),
    expected: ['segments/cart.sql:4:11: "ordered" is both excluded and required, so that nobody is left.'],
  },
  {
    name: "no steps",
    files: { ...BASE, "segments/cart.sql": "/*---\nstatus: live\n---*/\nselect 1\n" },
    expected: ["segments/cart.sql:2:1: A segment needs at least one step. | Write steps:, or channel: and template: for a single message."],
  },
  {
    name: "short form without a template",
    files: { ...BASE, "segments/cart.sql": "/*---\nchannel: email\n---*/\nselect 1\n" },
    expected: ["segments/cart.sql:2:1: template is missing; a segment without steps names it itself."],
  },
  {
    name: "steps and short form",
    files: segment("steps:", "channel: email\nsteps:"),
    expected: ["segments/cart.sql:4:1: channel stands beside steps. | Move it into a step."],
  },
  {
    name: "step without channel and template",
    files: { ...BASE, "segments/cart.sql": "/*---\nsteps:\n  - name: nudge\n---*/\nselect 1\n" },
    expected: [
      "segments/cart.sql:3:5: channel is missing in steps.0; expected the name of a channel.",
      "segments/cart.sql:3:5: template is missing in steps.0; expected a template's name: its path under templates/ without .hbs.",
    ],
  },
  {
    name: "empty value",
    files: segment("template: cart_email", "template:"),
    expected: ["segments/cart.sql:8:14: steps.0.template is empty; expected a template's name: its path under templates/ without .hbs."],
  },
  {
    name: "segment without front matter",
    files: { ...BASE, "segments/cart.sql": "select 1\n" },
    expected: ["segments/cart.sql:1:1: The segment has no front matter, which says what to send. | Begin the file with /*--- and end its YAML with ---*/."],
  },
  {
    name: "front matter without an end",
    files: segment("---*/", "*/"),
    expected: ["segments/cart.sql:1:5: The front matter has no end. | Close it with a line ---*/."],
  },
  {
    name: "no query",
    files: { ...BASE, "segments/audiences/ordered.sql": "/*---\nmin_rows: 1\n---*/\n\n" },
    expected: ["segments/audiences/ordered.sql:4:1: The file holds no query. | Write a select that returns user_id and occurred_at."],
  },
  {
    name: "wrong number in an audience",
    files: { ...BASE, "segments/audiences/ordered.sql": "/*---\nmin_rows: -1\n---*/\nselect 1\n" },
    expected: ["segments/audiences/ordered.sql:2:11: min_rows is -1; expected a whole number from 0."],
  },
  {
    name: "two segments of one id",
    files: { ...BASE, "segments/more/cart.sql": BASE["segments/cart.sql"] ?? "" },
    expected: ['segments/more/cart.sql:2:1: The segment "cart" is already in segments/cart.sql. | Give one of them another id:'],
  },
  {
    name: "two segments of one written id",
    files: { ...BASE, "segments/zz.sql": String(BASE["segments/cart.sql"]).replace("status", "id: cart\nstatus") },
    expected: ['segments/zz.sql:2:5: The segment "cart" is already in segments/cart.sql. | Give one of them another id:'],
  },
  {
    name: "a key twice",
    files: main("name: shop", "name: shop\nname: other"),
    expected: ["opportune.yml:2:1: The key name stands twice. | Keep one of the two."],
  },
  {
    name: "text that YAML takes for a mapping",
    files: segment("status: live", "description: cart: left alone"),
    expected: ["segments/cart.sql:2:14: Broken YAML: Nested mappings are not allowed in compact mappings. | Put the text into quotes."],
  },
  {
    name: "a tab in front matter",
    files: segment("    after", "\tafter"),
    expected: ["segments/cart.sql:6:1: Broken YAML: Tabs are not allowed as indentation. | Indent with spaces."],
  },
  {
    name: "an open bracket",
    files: main("path: shop.duckdb}", "path: shop.duckdb"),
    expected: ["opportune.yml:4:1: Broken YAML: Flow map in block collection must be sufficiently indented and end with a }."],
  },
  {
    name: "an alias to nothing",
    files: segment("10 minutes", "*soon"),
    expected: ["segments/cart.sql:6:12: Broken YAML: the alias *soon has no anchor &soon."],
  },
  {
    name: "a second document",
    files: main("channels:", "---\nchannels:"),
    expected: ["opportune.yml:4:1: Broken YAML: a line --- begins a second document."],
  },
  {
    name: "unknown target of the command line",
    files: BASE,
    options: { target: "prod" },
    expected: ['opportune.yml:2:1: Unknown target "prod" in --target; known: dev. | Add it to targets.'],
  },
  {
    name: "unknown default target",
    files: main("name: shop", "name: shop\ntarget: dve"),
    expected: ['opportune.yml:2:9: Unknown target "dve"; known: dev. | Did you mean "dev"?'],
  },
  {
    name: "several targets, none chosen",
    files: main("channels:", "  prod: {type: duckdb, path: p}\nchannels:"),
    expected: ["opportune.yml:1:1: target is missing; expected one of dev, prod. | Add target:, or choose with --target."],
  },
  {
    name: "missing variable of the target",
    files: main("shop.duckdb", '"${WAREHOUSE}/shop.duckdb"'),
    expected: ["opportune.yml:3:29: The environment variable WAREHOUSE in targets.dev.path is not set, or empty. | Set it in the environment or in .env."],
  },
  {
    name: "missing variable of a used channel",
    files: main("provider: outbox", "provider: sendgrid, api_key: '${SENDGRID_API_KEY}'"),
    expected: [
      "opportune.yml:5:40: The environment variable SENDGRID_API_KEY in channels.email.api_key is not set, or empty. | Set it in the environment or in .env.",
    ],
  },
  {
    name: "empty variable",
    files: main("provider: outbox", "provider: sendgrid, api_key: '${KEY}'"),
    options: { env: { KEY: "" } },
    expected: ["opportune.yml:5:40: The environment variable KEY in channels.email.api_key is not set, or empty. | Set it in the environment or in .env."],
  },
  {
    name: "a variable with a default",
    files: main("shop.duckdb", '"${FILE:-shop.duckdb}"'),
    expected: ["opportune.yml:3:29: targets.dev.path holds a ${ without a variable's name and }. | Write ${NAME}; defaults are not supported."],
  },
  {
    name: "text from the environment for a number",
    files: main("path: shop.duckdb", 'path: x, threads: "${THREADS}"'),
    options: { env: { THREADS: "4" } },
    expected: ['opportune.yml:3:41: targets.dev.threads is "${THREADS}" (from the environment); expected a whole number from 1.'],
  },
  {
    name: "SendGrid for sms, without a key",
    files: main("sources:", "  sms: {provider: sendgrid}\nsources:"),
    expected: [
      "opportune.yml:6:8: api_key is missing in channels.sms; the provider sendgrid needs one. | Add api_key: ${SENDGRID_API_KEY}.",
      'opportune.yml:6:19: channels.sms.provider is "sendgrid", which sends email only, not sms. | Use provider: outbox.',
    ],
  },
  {
    name: "a channel whose name is no type",
    files: main("sources:", "  mail: {provider: outbox}\nsources:"),
    expected: [
      'opportune.yml:6:9: type is missing in channels.mail, whose name is no type; expected one of email, sms, push, in_app, webhook. | Did you mean "email"? Else write type:',
    ],
  },
  {
    name: "a sandbox elsewhere",
    files: main("provider: outbox", "provider: outbox, sandbox: true"),
    expected: [
      'opportune.yml:5:29: channels.email.sandbox needs the provider sendgrid and an endpoint on this machine. | Write provider: sendgrid and endpoint: "http://127.0.0.1:4010", or leave sandbox out.',
    ],
  },
  {
    name: "an endpoint in the open",
    files: main("provider: outbox", "provider: outbox, endpoint: 'http://api.example.com'"),
    expected: [
      'opportune.yml:5:39: channels.email.endpoint is "http://api.example.com"; expected a URL beginning with https:// (http:// for this machine only).',
    ],
  },
  {
    name: "two senders",
    files: main("provider: outbox", "provider: outbox, from: 'a@example.com, b@example.com'"),
    expected: [
      'opportune.yml:5:35: channels.email.from is "a@example.com, b@example.com"; expected an address, such as ada@example.com or Ada <ada@example.com>.',
    ],
  },
  {
    name: "an allow-list on a live target",
    files: main("path: shop.duckdb", "path: shop.duckdb, live: true, allow: ['@shop.example']"),
    expected: ["opportune.yml:3:54: targets.dev.allow has no effect beside live: true, which writes to everybody. | Leave one of them out."],
  },
  {
    name: "silent_after without silent",
    files: main("path: shop.duckdb", "path: shop.duckdb, on_alert: {command: [tell], on: [held], silent_after: 2 hours}"),
    expected: [
      "opportune.yml:3:82: targets.dev.on_alert.silent_after has no effect, as on: leaves out silent. | Add silent to on:, or leave silent_after out.",
    ],
  },
  {
    name: "a certificate's authority where any certificate will do",
    files: main("type: duckdb, path: shop.duckdb", "type: postgres, ssl: {ca: ca.pem, reject_unauthorized: false}"),
    expected: ["opportune.yml:3:31: targets.dev.ssl.ca has no effect beside reject_unauthorized: false, which takes any certificate. | Leave one of them out."],
  },
  {
    name: "stale_after without loaded_at",
    files: main("carts: shop.carts", "carts: {table: shop.carts, stale_after: 1 day}"),
    expected: ["opportune.yml:7:43: sources.carts.stale_after needs loaded_at. | Name the column that says when a row arrived: loaded_at: updated_at."],
  },
  {
    name: "a source that is neither text nor mapping",
    files: main("carts: shop.carts", "carts: [shop.carts]"),
    expected: ["opportune.yml:7:10: sources.carts is a list; expected a table's name, or a mapping with table, loaded_at and stale_after."],
  },
  {
    name: "unsubscribe link without a secret",
    files: main("sources:", "links: {unsubscribe_url: 'https://shop.example/u'}\nsources:"),
    expected: ["opportune.yml:6:26: links.unsubscribe_url needs unsubscribe_secret, which signs its tokens. | Add unsubscribe_secret: ${UNSUBSCRIBE_SECRET}."],
  },
  ...[
    ["changeme", "has 8 characters, fewer than 32"],
    ["please-change-me-before-you-go-live", "is a placeholder"],
    ["secretsecretsecretsecretsecretsecret", "repeats itself"],
    ["0123456789abcdefghijklmnopqrstuvwxyz", "repeats itself"],
  ].map(([secret, why]) => ({
    name: `unsubscribe secret ${String(secret)}`,
    files: main("sources:", `links: {unsubscribe_url: "https://shop.example/u", unsubscribe_secret: ${String(secret)}}\nsources:`),
    expected: [
      `opportune.yml:6:72: links.unsubscribe_secret ${String(why)}: with it anybody can unsubscribe others. | Make one with \`openssl rand -hex 32\`, and keep it: old links are signed with it.`,
    ],
  })),
  {
    name: "a file in another encoding",
    files: { ...BASE, "segments/audiences/ordered.sql": new Uint8Array([0x2d, 0x2d, 0xe9, 0x0a]) },
    expected: [
      "segments/audiences/ordered.sql:1:3: The file is not UTF-8: the byte 0xE9 stands for no character. | Save it as UTF-8, or convert it: `iconv -f WINDOWS-1252 -t UTF-8 segments/audiences/ordered.sql`.",
    ],
  },
  {
    name: "everything at once, in the order of files and lines",
    files: {
      ...BASE,
      "opportune.yml": "name: shop\ninterval: 5m\ntargets:\n  dev: {type: duckdb}\nchannels: {email: {provider: post}}\nextra: 1\n",
      "segments/a.sql": "/*---\nstatus: on\ngoal: nobody\nsteps: []\n---*/\nselect * from {{source 'x'}}\n",
      "segments/b.sql": "/*---\n{\n---*/\n",
    },
    expected: [
      'opportune.yml:2:11: interval is "5m"; expected a duration such as 10 minutes, 24 hours or 7 days. | Did you mean "5 minutes"?',
      "opportune.yml:4:8: path is missing in targets.dev; expected text.",
      'opportune.yml:5:30: channels.email.provider is "post"; expected one of sendgrid, outbox.',
      'opportune.yml:6:1: Unknown key "extra"; allowed: name, target, targets, channels, policy, sources, vars, interval, links, lint.',
      'segments/a.sql:2:9: status is "on"; expected one of draft, live, paused.',
      'segments/a.sql:3:7: Unknown audience "nobody" in goal; known: ordered. | Write segments/audiences/nobody.sql.',
      "segments/a.sql:4:8: steps is an empty list; expected at least one entry.",
      'segments/a.sql:6:24: Unknown source "x"; known: none. | Add it to sources in opportune.yml.',
      "segments/b.sql:3:1: Broken YAML: Flow map must end with a }.",
      "segments/b.sql:4:1: The file holds no query. | Write a select that returns user_id and occurred_at.",
      'segments/cart.sql:10:64: Unknown source "carts"; known: none. | Add it to sources in opportune.yml.',
    ],
  },
];
