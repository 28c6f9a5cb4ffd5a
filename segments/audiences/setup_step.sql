/*---
description: Who completed a step of the set-up, and when last
---*/
select user_id, max(occurred_at) as occurred_at
from {{source "events"}}
where event = 'setup_step_completed' and occurred_at > {{ago "60 days"}} and occurred_at <= {{as_of}}
group by user_id
