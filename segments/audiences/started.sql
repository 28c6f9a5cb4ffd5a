/*---
description: Who did something with their account, and when
---*/
select user_id, occurred_at
from {{source "events"}}
where event = 'setup_step_completed' and occurred_at > {{ago "14 days"}}
