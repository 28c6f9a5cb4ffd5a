/*---
description: Who did something with their account, and when
---*/
select user_id, occurred_at
from {{source "activity"}}
where occurred_at > {{ago "14 days"}}
