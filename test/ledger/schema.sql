-- The ledger as DuckDB reports it; written by `UPDATE_DUMP=1 npx vitest run test/ledger/schema.test.ts`.

create table alerts (
  name varchar not null,
  content varchar not null
);

create table approvals (
  scope varchar not null,
  name varchar not null,
  reason varchar not null,
  recorded_at timestamp not null,
  seq bigint not null,
  trial boolean
);

create table consents (
  user_id varchar not null,
  purpose varchar not null,
  version varchar,
  occurred_at timestamp not null,
  message_id varchar
);

create table engagement (
  message_id varchar,
  event varchar not null,
  occurred_at timestamp not null,
  recorded_at timestamp not null,
  provider_event_id varchar,
  detail varchar,
  deferral bigint,
  url varchar,
  why_machine varchar,
  machine boolean,
  provider_message_id varchar,
  event_key varchar,
  trial boolean
);

create table erasures (
  user_hash varchar,
  detail varchar,
  recorded_at timestamp not null
);

create table feeds (
  name varchar not null,
  channel varchar not null,
  words varchar not null,
  known_until timestamp not null,
  recorded_at timestamp not null,
  trial boolean
);

create table inbox (
  message_id varchar not null,
  user_id varchar not null,
  title varchar,
  body varchar,
  url varchar,
  data varchar,
  created_at timestamp not null,
  expires_at timestamp,
  seen_at timestamp,
  read_at timestamp,
  archived_at timestamp,
  trial boolean
);

create table leases (
  name varchar not null,
  holder varchar,
  fence bigint not null,
  expires_at timestamp
);

create table meta (
  name varchar not null,
  content varchar not null
);

create table pauses (
  scope varchar not null,
  name varchar not null,
  paused boolean not null,
  recorded_at timestamp not null,
  seq bigint not null,
  note varchar,
  until timestamp,
  kind varchar,
  trial boolean
);

create table preferences (
  user_id varchar not null,
  channel varchar,
  topic varchar,
  opted_in boolean,
  recorded_at timestamp not null,
  seq bigint not null,
  source varchar,
  event_key varchar,
  message_id varchar,
  occurred_at timestamp,
  until timestamp,
  window_seconds bigint,
  max_claims bigint,
  trial boolean
);

create table reviews (
  segment varchar not null,
  period varchar not null,
  verdict varchar not null,
  evidence varchar,
  accepted_by varchar,
  recorded_at timestamp not null
);

create table runs (
  run_id varchar not null,
  as_of timestamp not null,
  started_at timestamp not null,
  finished_at timestamp,
  status varchar not null,
  fence bigint not null,
  opportune_version varchar,
  candidates bigint,
  claimed bigint,
  accepted bigint,
  failed bigint,
  in_doubt bigint,
  released bigint,
  duration_ms bigint,
  error varchar,
  held bigint,
  lag_p50_ms bigint,
  lag_p95_ms bigint,
  project_version varchar,
  trial boolean
);

create table segment_runs (
  run_id varchar not null,
  segment varchar not null,
  as_of timestamp not null,
  segment_version varchar not null,
  shape varchar not null,
  activated_at timestamp,
  steps varchar not null,
  succeeded bigint not null,
  returned bigint,
  dropped varchar,
  decisions varchar,
  bytes_scanned bigint,
  duration_ms bigint,
  error varchar,
  offered bigint,
  experiment varchar,
  trial boolean
);

create table sent_ledger (
  seq bigint not null,
  run_id varchar not null,
  message_id varchar not null,
  segment varchar not null,
  segment_version varchar,
  step varchar not null,
  variant varchar,
  user_id varchar not null,
  item_key varchar not null,
  class varchar,
  channel varchar,
  topic varchar,
  template varchar,
  template_version varchar,
  occurred_at timestamp not null,
  counts_from timestamp not null,
  due_at timestamp,
  expires_at timestamp,
  send_by timestamp,
  decided_at timestamp not null,
  recorded_at timestamp not null,
  event varchar not null,
  reason varchar not null,
  rule varchar not null,
  detail varchar,
  settles bigint not null,
  counts bigint not null,
  address varchar,
  properties varchar,
  provider_id varchar,
  provider varchar,
  account_id varchar,
  language varchar,
  repetition bigint,
  project_epoch bigint,
  epoch bigint,
  factor varchar,
  attempt varchar,
  trial boolean
);

create table suppressions (
  channel varchar not null,
  address varchar not null,
  topic varchar,
  reason varchar not null,
  recorded_at timestamp not null,
  user_hash varchar,
  run_id varchar,
  event_key varchar,
  message_id varchar,
  ended boolean,
  seq bigint,
  trial boolean
);

create table templates_sent (
  template_version varchar not null,
  content varchar not null,
  recorded_at timestamp not null
);

create view caps_in_use (
  user_id varchar,
  channel varchar,
  topic varchar,
  last_hour hugeint,
  last_24_hours hugeint,
  last_48_hours hugeint,
  last_7_days hugeint,
  last_30_days hugeint,
  last_at timestamp,
  trial boolean
);

create view current_state (
  message_id varchar,
  segment varchar,
  step varchar,
  user_id varchar,
  item_key varchar,
  channel varchar,
  topic varchar,
  occurred_at timestamp,
  due_at timestamp,
  expires_at timestamp,
  status varchar,
  reason varchar,
  rule varchar,
  decided_at timestamp,
  since timestamp,
  run_id varchar,
  seq bigint,
  trial boolean
);

create view messages (
  message_id varchar,
  run_id varchar,
  segment varchar,
  step varchar,
  variant varchar,
  user_id varchar,
  item_key varchar,
  class varchar,
  channel varchar,
  topic varchar,
  template varchar,
  template_version varchar,
  address varchar,
  occurred_at timestamp,
  due_at timestamp,
  decided_at timestamp,
  sending_at timestamp,
  accepted_at timestamp,
  provider_id varchar,
  status varchar,
  status_reason varchar,
  outcome_detail varchar,
  counts hugeint,
  trial boolean
);

create view segment_daily (
  day date,
  segment varchar,
  step varchar,
  event varchar,
  reason varchar,
  events bigint,
  users bigint,
  trial boolean
);

create view trigger_lag (
  segment varchar,
  step varchar,
  message_id varchar,
  user_id varchar,
  due_at timestamp,
  decided_at timestamp,
  accepted_at timestamp,
  seconds_to_decision bigint,
  seconds_to_acceptance bigint
);

create view why (
  user_id varchar,
  seq bigint,
  decided_at timestamp,
  recorded_at timestamp,
  segment varchar,
  step varchar,
  item_key varchar,
  occurred_at timestamp,
  due_at timestamp,
  expires_at timestamp,
  event varchar,
  reason varchar,
  rule varchar,
  channel varchar,
  message_id varchar,
  run_id varchar,
  detail varchar,
  explanation varchar,
  trial boolean
);
