-- `trial`: whether a trial wrote the row; null, as in every older row, means live.
-- A message: which attempt of its step it is, what its variant and holdout were drawn by, and how it went out.
{{add_columns "sent_ledger" trial=types.boolean attempt=types.text factor=types.text epoch=types.bigint project_epoch=types.bigint repetition=types.bigint
  language=types.text account_id=types.text provider=types.text}};

-- `project_version`: a hash of opportune.yml and of what templates and audiences hold.
{{add_columns "runs" trial=types.boolean project_version=types.text}};

-- `experiment`, JSON: holdouts with their epochs, and each factor's variants with their weights.
{{add_columns "segment_runs" trial=types.boolean experiment=types.text}};

-- An event is known by its key. A provider may name its own id of the message alone.
{{drop_not_null "engagement" "message_id"}};
{{add_columns "engagement" trial=types.boolean event_key=types.text provider_message_id=types.text machine=types.boolean why_machine=types.text url=types.text
  deferral=types.bigint}};

-- The last row of a channel, address, topic and reason holds; one that has ended suppresses nothing.
{{add_columns "suppressions" trial=types.boolean seq=types.bigint ended=types.boolean message_id=types.text event_key=types.text run_id=types.text
  user_hash=types.text}};

-- A row may say how often alone, or hold for a while.
{{drop_not_null "preferences" "opted_in"}};
{{add_columns "preferences" trial=types.boolean max_claims=types.bigint window_seconds=types.bigint until=types.timestamp occurred_at=types.timestamp
  message_id=types.text event_key=types.text source=types.text}};

-- `kind`: an operator or a breaker; null, as in every older row, is not told.
{{add_columns "pauses" trial=types.boolean kind=types.text}};

-- How far each channel's events are known; append-only.
create table if not exists {{ledger "feeds"}} (
  name {{types.text}} not null,
  channel {{types.text}} not null,
  words {{types.text}} not null,              -- JSON: the events it brings
  known_until {{types.timestamp}} not null,
  recorded_at {{types.timestamp}} not null,
  trial {{types.boolean}}
);

-- From when on complaints and bounces count anew; append-only.
create table if not exists {{ledger "approvals"}} (
  scope {{types.text}} not null,              -- segment, channel
  name {{types.text}} not null,
  reason {{types.text}} not null,
  recorded_at {{types.timestamp}} not null,
  seq {{types.bigint}} not null,
  trial {{types.boolean}}
);

-- What users agreed to, by which message.
create table if not exists {{ledger "consents"}} (
  user_id {{types.text}} not null,
  purpose {{types.text}} not null,
  version {{types.text}},
  occurred_at {{types.timestamp}} not null,
  message_id {{types.text}}
);

-- Messages inside of the app, which writes when they were seen, read and archived.
create table if not exists {{ledger "inbox"}} (
  message_id {{types.text}} not null,
  user_id {{types.text}} not null,
  title {{types.text}},
  body {{types.text}},
  url {{types.text}},
  data {{types.text}},                        -- JSON
  created_at {{types.timestamp}} not null,
  expires_at {{types.timestamp}},
  seen_at {{types.timestamp}},
  read_at {{types.timestamp}},
  archived_at {{types.timestamp}},
  trial {{types.boolean}}
);

-- Verdicts of reports that somebody accepted.
create table if not exists {{ledger "reviews"}} (
  segment {{types.text}} not null,
  period {{types.text}} not null,             -- 2026-02
  verdict {{types.text}} not null,
  evidence {{types.text}},
  accepted_by {{types.text}},
  recorded_at {{types.timestamp}} not null
);

-- That somebody was erased, without who.
create table if not exists {{ledger "erasures"}} (
  user_hash {{types.text}},
  detail {{types.text}},                      -- JSON: rows changed, by table
  recorded_at {{types.timestamp}} not null
);

-- Templates as they were when they were sent.
create table if not exists {{ledger "templates_sent"}} (
  template_version {{types.text}} not null,
  content {{types.text}} not null,
  recorded_at {{types.timestamp}} not null
);

{{#if is_postgres}}
-- `repeat: never` of a live run counts no trial: the index answers that alone.
drop index if exists {{ledger "sent_ledger_segment_user_id_item_key_counts_idx"}};
create index on {{ledger "sent_ledger"}} (segment, user_id, item_key) include (counts, trial) where counts <> 0;
{{/if}}
