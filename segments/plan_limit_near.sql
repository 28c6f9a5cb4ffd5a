/*---
description: More than 80 % of the plan's boards are in use, and the plan is still the same
because: Your {{project}} plan has a limit, and you are close to it.
status: live
signal: frequency
priority: 75
topic: plans
key: plan                   # once for each plan
repeat: never
goal: upgraded
exclude: [open_tickets]
channel: email
template: plan_limit_near
after: 4 hours
within: 3 days
columns:
  used: {required: true}
  plan_limit: {required: true}
---*/
-- Why then: 80 % leaves time to decide before anything stops working. Usage is measured at night, so four hours later it is morning
-- in most places; three days, as nothing is lost if a more important message goes first. An upgrade ends it: the plan is another one.
select u.user_id, u.email, u.timezone, u.locale, m.measured_at as occurred_at, u.first_name, m.plan, p.plan_name, m.used, m.plan_limit
from (
  select user_id, plan, measured_at, used, plan_limit,
    lag(used) over (partition by user_id, plan order by measured_at) as used_before
  from {{source "usage"}}
  where metric = 'boards' and measured_at > {{ago "7 days"}} and measured_at <= {{as_of}}
) m
join {{audience "current_plan"}} p on p.user_id = m.user_id and p.plan = m.plan
join {{source "users"}} u on u.user_id = m.user_id
-- The measurement that went above: those of the days after it are no news. Without one before it there is nothing to compare with.
where m.used * 100 > m.plan_limit * 80 and m.used_before * 100 <= m.plan_limit * 80
  and m.measured_at > {{ago "4 days"}}
