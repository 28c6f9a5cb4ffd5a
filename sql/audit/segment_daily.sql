-- Decisions and outcomes of each segment by day.
create or replace view {{ledger "segment_daily"}} as
select cast(decided_at as date) as day, segment, step, event, reason, count(*) as events, count(distinct user_id) as users
from {{ledger "sent_ledger"}}
group by cast(decided_at as date), segment, step, event, reason
