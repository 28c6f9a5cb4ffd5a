/*---
description: Who began to pay or moved to a larger plan, and when
---*/
select user_id, paid_at as occurred_at
from {{source "subscriptions"}}
where paid_at > {{ago "90 days"}}
union all
select user_id, started_at as occurred_at
from {{source "subscriptions"}}
where started_at > {{ago "90 days"}}
  and case changed_from when 'free' then 1 when 'starter' then 2 when 'team' then 3 when 'business' then 4 end
    < case plan when 'free' then 1 when 'starter' then 2 when 'team' then 3 when 'business' then 4 end
