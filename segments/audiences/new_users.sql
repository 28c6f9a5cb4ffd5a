/*---
description: Who signed up in the last two weeks and still gets to know the planner
---*/
select user_id, occurred_at
from {{audience "lifecycle"}} stages
where stage = 'new'
