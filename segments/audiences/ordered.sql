/*---
description: Who bought something in the shop, and when
---*/
select user_id, ordered_at as occurred_at
from {{source "orders"}}
where ordered_at > {{ago "30 days"}}
