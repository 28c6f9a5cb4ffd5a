/*---
description: Who used a feature that goes with another, and when last
---*/
select user_id, max(occurred_at) as occurred_at
from {{source "events"}}
where event = 'feature_used' and subject in ('weekly_summary', 'reminders')
  and occurred_at > {{ago "30 days"}} and occurred_at <= {{as_of}}
group by user_id
