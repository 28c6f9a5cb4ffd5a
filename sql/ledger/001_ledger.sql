-- The sent ledger: every decision, the silent ones too, and what became of every message. Append-only.
create table if not exists {{ledger "sent_ledger"}} (
  seq {{types.bigint}} not null,              -- the lease's fence times 10^9, plus a count: an order that never ties or runs backwards
  run_id {{types.text}} not null,             -- of the decision; an outcome carries its claim's
  message_id {{types.text}} not null,
  segment {{types.text}} not null,
  segment_version {{types.text}},
  step {{types.text}} not null,
  variant {{types.text}},
  user_id {{types.text}} not null,
  item_key {{types.text}} not null,           -- value of the segment's key, '' without one
  class {{types.text}},
  channel {{types.text}},
  topic {{types.text}},
  template {{types.text}},
  template_version {{types.text}},
  occurred_at {{types.timestamp}} not null,   -- the behaviour; in a journey, its anchor
  counts_from {{types.timestamp}} not null,   -- what the steps count from: occurred_at, unless backfilled
  due_at {{types.timestamp}},
  expires_at {{types.timestamp}},             -- end of the step's window
  send_by {{types.timestamp}},                -- claims: released if not handed over by then
  decided_at {{types.timestamp}} not null,    -- as_of of the decision; every rule counts on it
  recorded_at {{types.timestamp}} not null,   -- the wall clock
  event {{types.text}} not null,              -- claimed, held_out, waiting, denied, settled, left, backfilled, sending, accepted, failed, in_doubt, released
  reason {{types.text}} not null,
  rule {{types.text}} not null,               -- which cap, audience, column …; '' where the reason has none
  detail {{types.text}},                      -- JSON: the numbers behind the reason
  settles {{types.bigint}} not null,          -- +1 claimed, held_out, settled; -1 released: settled when the sum is above 0
  counts {{types.bigint}} not null,           -- +1 claimed, held_out; -1 failed, released: what caps and repeat add up
  address {{types.text}},                     -- claims and hold-outs only; normalised
  properties {{types.text}},                  -- claims only: the columns under keep_properties, JSON
  provider_id {{types.text}}
){{ledger_layout}};

create table if not exists {{ledger "runs"}} (
  run_id {{types.text}} not null,
  as_of {{types.timestamp}} not null,
  started_at {{types.timestamp}} not null,
  finished_at {{types.timestamp}},
  status {{types.text}} not null,             -- running, success, error, interrupted
  fence {{types.bigint}} not null,
  opportune_version {{types.text}},
  candidates {{types.bigint}},
  claimed {{types.bigint}},
  accepted {{types.bigint}},
  failed {{types.bigint}},
  in_doubt {{types.bigint}},
  released {{types.bigint}},
  duration_ms {{types.bigint}},
  error {{types.text}}
);

create table if not exists {{ledger "segment_runs"}} (
  run_id {{types.text}} not null,
  segment {{types.text}} not null,
  as_of {{types.timestamp}} not null,
  segment_version {{types.text}} not null,
  shape {{types.text}} not null,              -- hash of query, key, repeat and steps: what activation looks at
  activated_at {{types.timestamp}},           -- null: no baseline (first_run: send)
  steps {{types.text}} not null,              -- JSON: each step's offset and since when it is active
  succeeded {{types.bigint}} not null,        -- 1 if the query worked
  returned {{types.bigint}},
  dropped {{types.text}},                     -- JSON: rows that made no candidate, by reason
  decisions {{types.text}},                   -- JSON: candidates by reason, unchanged answers included
  bytes_scanned {{types.bigint}},
  duration_ms {{types.bigint}},
  error {{types.text}}
){{segment_runs_layout}};

create table if not exists {{ledger "engagement"}} (
  message_id {{types.text}} not null,
  event {{types.text}} not null,
  occurred_at {{types.timestamp}} not null,
  recorded_at {{types.timestamp}} not null,
  provider_event_id {{types.text}},
  detail {{types.text}}
);

-- Never to write to: an address of a channel, for one topic or (null) for all.
create table if not exists {{ledger "suppressions"}} (
  channel {{types.text}} not null,
  address {{types.text}} not null,            -- normalised: trimmed, e-mail in lower case
  topic {{types.text}},
  reason {{types.text}} not null,             -- bounce, complaint, erased, unsubscribe, …
  recorded_at {{types.timestamp}} not null
);

-- What users asked for; the last row of a user, channel and topic holds.
create table if not exists {{ledger "preferences"}} (
  user_id {{types.text}} not null,
  channel {{types.text}},
  topic {{types.text}},
  opted_in {{types.boolean}} not null,
  recorded_at {{types.timestamp}} not null,
  seq {{types.bigint}} not null
);

-- The last row of a scope and name holds.
create table if not exists {{ledger "pauses"}} (
  scope {{types.text}} not null,              -- project, segment, channel
  name {{types.text}} not null,
  paused {{types.boolean}} not null,
  recorded_at {{types.timestamp}} not null,
  seq {{types.bigint}} not null,
  note {{types.text}}
);

create table if not exists {{ledger "leases"}} (
  name {{types.text}} not null,
  holder {{types.text}},
  fence {{types.bigint}} not null,
  expires_at {{types.timestamp}}
);

create table if not exists {{ledger "meta"}} (
  name {{types.text}} not null,
  content {{types.text}} not null
);

{{#insert_missing "leases" columns="name, holder, fence, expires_at" key="name"}}
select 'run' as name, {{null_text}} as holder, 0 as fence, {{null_timestamp}} as expires_at
{{/insert_missing}};
