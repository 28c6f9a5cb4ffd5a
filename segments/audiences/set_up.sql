/*---
description: Who has completed every step of the set-up, and when
---*/
select user_id, occurred_at
from {{audience "setup_progress"}} progress
where next_step is null
