/*---
description: Our own accounts
---*/
select user_id, signed_up_at as occurred_at
from {{source "users"}}
where lower(email) like '%@plainfold.example'
