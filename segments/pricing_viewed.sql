/*---
description: Looked at the prices three times in seven days, and could move to a larger plan
because: You use {{project}} on the {{plan_name}} plan.
status: live
signal: intent
priority: 70
topic: plans
repeat: every 60 days
goal: upgraded
exclude: [open_tickets]
channel: email
template: plan_question
after: 3 hours
within: 24 hours
columns:
  plan: {required: true, accepted_values: [free, starter, team]}
---*/
-- Why then: once is curiosity and twice is forgetting; three times in a week is a question. Three hours after the last look they
-- are done for the moment, and it is still the same day. The email answers the question and doesn't say how we know that there is one.
select u.user_id, u.email, u.timezone, u.locale, v.occurred_at, u.first_name, p.plan, p.plan_name,
  case p.plan when 'free' then 'Starter' when 'starter' then 'Team' else 'Business' end as next_plan_name
from (
  select user_id, max(occurred_at) as occurred_at
  from {{source "events"}}
  where event = 'page_viewed' and subject = 'pricing' and occurred_at > {{ago "7 days"}} and occurred_at <= {{as_of}}
  group by user_id
  having count(*) >= 3
) v
join {{audience "current_plan"}} p on p.user_id = v.user_id
join {{source "users"}} u on u.user_id = v.user_id
where p.plan <> 'business'
