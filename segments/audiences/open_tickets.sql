/*---
description: Who waits for an answer from support
---*/
select user_id, opened_at as occurred_at
from {{source "tickets"}}
where closed_at is null
