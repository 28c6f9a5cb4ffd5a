/*---
description: Who used a feature of the planner, and when last
---*/
select user_id, max(occurred_at) as occurred_at
from {{source "events"}}
where event = 'feature_used' and occurred_at > {{ago "60 days"}} and occurred_at <= {{as_of}}
group by user_id
