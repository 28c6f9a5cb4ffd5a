/*---
description: Who agreed to hear from us, and did not take it back
min_rows: 1                 # an empty table is a broken load, not a shop without consents
---*/
select user_id, granted_at as occurred_at
from {{source "consents"}}
where withdrawn_at is null
