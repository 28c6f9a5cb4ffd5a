-- How many counting marketing messages each user had in the hours and days before the latest run; trials' apart.
create or replace view {{ledger "caps_in_use"}} as
with latest as (
  select coalesce(trial, false) as trial, max(as_of) as as_of from {{ledger "runs"}} group by coalesce(trial, false)
),
counting as (
  select l.message_id, l.run_id, coalesce(l.trial, false) as trial, max(l.user_id) as user_id, max(l.channel) as channel, max(l.topic) as topic, max(l.decided_at) as decided_at
  from {{ledger "sent_ledger"}} l
  where l.class = 'marketing' and l.counts <> 0
  group by l.message_id, l.run_id, coalesce(l.trial, false)
  having sum(l.counts) > 0
)
select c.user_id, c.channel, c.topic,
  sum(case when {{plus_seconds "c.decided_at" 3600}} > a.as_of then 1 else 0 end) as last_hour,
  sum(case when {{plus_seconds "c.decided_at" 86400}} > a.as_of then 1 else 0 end) as last_24_hours,
  sum(case when {{plus_seconds "c.decided_at" 172800}} > a.as_of then 1 else 0 end) as last_48_hours,
  sum(case when {{plus_seconds "c.decided_at" 604800}} > a.as_of then 1 else 0 end) as last_7_days,
  sum(case when {{plus_seconds "c.decided_at" 2592000}} > a.as_of then 1 else 0 end) as last_30_days,
  max(c.decided_at) as last_at, c.trial
from counting c
join latest a on a.trial = c.trial
group by c.user_id, c.channel, c.topic, c.trial
