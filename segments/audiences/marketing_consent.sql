/*---
description: Who agreed to hear from us, and did not take it back
min_rows: 1                 # an empty table is a broken load, not a shop without consents
---*/
select user_id, granted_at as occurred_at
from {{source "consents"}}
where granted_at <= {{as_of}} and (withdrawn_at is null or withdrawn_at > {{as_of}})
