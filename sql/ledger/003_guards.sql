-- A pause may end by itself: the breaker of a channel sets one that does.
alter table {{ledger "pauses"}} add column if not exists until {{types.timestamp}};

-- How many candidates a guard held back (surge, failed audience, stale data), and how long after its due time a message was accepted.
alter table {{ledger "runs"}} add column if not exists held {{types.bigint}};
alter table {{ledger "runs"}} add column if not exists lag_p50_ms {{types.bigint}};
alter table {{ledger "runs"}} add column if not exists lag_p95_ms {{types.bigint}};

-- Candidates that no run had offered before, or that waited for approval: what the surge breaker compares.
alter table {{ledger "segment_runs"}} add column if not exists offered {{types.bigint}};

{{#if is_postgres}}
-- What a run looks back on: decisions, not what became of messages, which are two rows in three.
create index on {{ledger "sent_ledger"}} (decided_at) where event not in ('sending', 'accepted', 'in_doubt');

-- A run every few minutes makes two million rows a year here: the last ones are looked up.
create index on {{ledger "segment_runs"}} (as_of);
create index on {{ledger "runs"}} (as_of);
{{/if}}
