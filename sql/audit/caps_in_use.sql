-- How many counting marketing messages each user had in the hours and days before the latest run; trials' apart.
create or replace view {{ledger "caps_in_use"}} as
with latest as (
  select is_trial, max(as_of) as as_of
  from (select coalesce(trial, false) as is_trial, as_of from {{ledger "runs"}} where status <> 'forgotten') r
  group by is_trial
),
counting as (
  select l.message_id, l.run_id, l.is_trial, max(l.user_id) as user_id, max(l.channel) as channel, max(l.topic) as topic, max(l.decided_at) as decided_at
  from (select s.*, coalesce(s.trial, false) as is_trial from {{ledger "sent_ledger"}} s) l
  where l.class = 'marketing' and l.counts <> 0
  group by l.message_id, l.run_id, l.is_trial
  having sum(l.counts) > 0
)
select c.user_id, c.channel, c.topic,
  sum(case when {{plus_seconds "c.decided_at" 3600}} > a.as_of then 1 else 0 end) as last_hour,
  sum(case when {{plus_seconds "c.decided_at" 86400}} > a.as_of then 1 else 0 end) as last_24_hours,
  sum(case when {{plus_seconds "c.decided_at" 172800}} > a.as_of then 1 else 0 end) as last_48_hours,
  sum(case when {{plus_seconds "c.decided_at" 604800}} > a.as_of then 1 else 0 end) as last_7_days,
  sum(case when {{plus_seconds "c.decided_at" 2592000}} > a.as_of then 1 else 0 end) as last_30_days,
  max(c.decided_at) as last_at, c.is_trial as trial
from counting c
join latest a on a.is_trial = c.is_trial
group by c.user_id, c.channel, c.topic, c.is_trial
