/*---
description: Whose question was answered, and when
---*/
select user_id, closed_at as occurred_at
from {{source "tickets"}}
where closed_at > {{ago "30 days"}}
