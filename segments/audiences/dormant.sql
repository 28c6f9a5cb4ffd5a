/*---
description: Who has not been seen for six weeks or more
---*/
select user_id, occurred_at
from {{audience "lifecycle"}} stages
where stage = 'dormant'
