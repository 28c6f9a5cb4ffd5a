/*---
description: Each user's stage (new, active, slipping or dormant) and when they were last active
---*/
-- Two weeks is how long a trial and the set-up take; six weeks without a visit is more than a holiday.
select user_id, occurred_at,
  case
    when signed_up_at > {{ago "14 days"}} then 'new'
    when occurred_at > {{ago "14 days"}} then 'active'
    when occurred_at > {{ago "42 days"}} then 'slipping'
    else 'dormant'
  end as stage
from (
  select u.user_id, u.signed_up_at, coalesce(max(e.occurred_at), u.signed_up_at) as occurred_at
  from {{source "users"}} u
  left join {{source "events"}} e on e.user_id = u.user_id and e.occurred_at > {{ago "365 days"}} and e.occurred_at <= {{as_of}}
  where u.signed_up_at <= {{as_of}}
  group by u.user_id, u.signed_up_at
) users_seen
