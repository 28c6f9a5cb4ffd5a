-- One row a message: what the last event says of it, but for runs that were taken back; trials' apart.
create or replace view {{ledger "current_state"}} as
with events as (
  select l.*, row_number() over (partition by l.message_id order by l.seq desc) as newest
  from {{ledger "sent_ledger"}} l
  where l.run_id not in (select run_id from {{ledger "runs"}} where status = 'forgotten')
)
select message_id, segment, step, user_id, item_key, channel, topic, occurred_at, due_at, expires_at, event as status, reason, rule, decided_at, recorded_at as since, run_id, seq,
  coalesce(trial, false) as trial
from events
where newest = 1
