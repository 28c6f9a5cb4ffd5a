/*---
description: Who waits for an answer from support
---*/
select user_id, opened_at as occurred_at
from {{source "tickets"}}
where opened_at <= {{as_of}} and (closed_at is null or closed_at > {{as_of}})
