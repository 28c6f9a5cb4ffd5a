/*---
description: The plan of each user at the moment, and since when
---*/
-- By times, not by status: the plan at any moment of the past can be asked for too.
select user_id, occurred_at, plan, upper(substr(plan, 1, 1)) || substr(plan, 2) as plan_name, trial_ends_at, paid_at, price, currency
from (
  select user_id, started_at as occurred_at, plan, trial_ends_at,
    case when paid_at <= {{as_of}} then paid_at end as paid_at, price, currency,
    row_number() over (partition by user_id order by started_at desc, subscription_id) as newest
  from {{source "subscriptions"}}
  where started_at <= {{as_of}} and (ended_at is null or ended_at > {{as_of}})
) held
where newest = 1
