-- Decisions and outcomes of each segment by day; trials' apart.
create or replace view {{ledger "segment_daily"}} as
select {{utc_date "decided_at"}} as day, segment, step, event, reason, count(*) as events, count(distinct user_id) as users, coalesce(trial, false) as trial
from {{ledger "sent_ledger"}}
where run_id not in (select run_id from {{ledger "runs"}} where status = 'forgotten')
group by {{utc_date "decided_at"}}, segment, step, event, reason, coalesce(trial, false)
