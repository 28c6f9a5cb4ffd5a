interface Differences {
  /** The one target, in YAML. */
  target: string;
  /** SQL of when a cart was loaded. */
  loadedAt: string;
  /** More columns of the segment's query, each after a comma. */
  columns?: string;
  /** What the mail shows of these. */
  shown?: string;
}

/** A shop whose carts have a user's own types, with a broken segment beside the one that sends: the files of a project for whole runs. */
export function typedShop({ target, loadedAt, columns = "", shown = "" }: Differences): Record<string, string> {
  return {
    "opportune.yml": `
name: shop
targets:
  prod: ${target}
channels:
  email: {provider: outbox, from: Shop <hello@example.com>}
sources:
  carts: {table: carts, loaded_at: "${loadedAt}"}
policy:
  exclude: [blocked]
  max_per_run: 100000
  surge: false
`,
    "segments/cart.sql": `/*---
status: live
first_run: send
key: cart_id
repeat: each_occurrence
goal: ordered
keep_properties: [total, plan]
steps:
  - {name: nudge, after: 10 minutes, within: 6 hours, channel: email, template: cart}
columns:
  plan: {accepted_values: [starter, growth]}
---*/
select user_id, email, cart_id, updated_at as occurred_at, total, plan, tags, extra, bought_on, rating${columns}
from {{source "carts"}} -- the user's own comment
where updated_at > {{ago "1 day"}}
`,
    "segments/broken.sql":
      "/*---\nstatus: live\nchannel: email\ntemplate: plain\n---*/\nselect user_id, email, updated_at as occurred_at\nfrom carts\nwhere cast(plan as integer) > 1\n",
    "segments/audiences/ordered.sql": "select user_id, ordered_at as occurred_at from orders",
    "segments/audiences/blocked.sql": "select user_id from carts where user_id = 7",
    "templates/plain.hbs": "---\nsubject: Hello\nlayout: none\n---\n<p>Hello</p>\n",
    "templates/cart.hbs": `---\nsubject: Your basket\nlayout: none\n---\n<p>{{total}} {{plan}} {{tags.[1]}} {{extra.size}} {{bought_on}} {{default rating 'unrated'}}${shown}</p>\n`,
  };
}
