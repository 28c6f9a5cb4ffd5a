/*---
description: A trial ends within 24 hours, and nothing has been paid
because: You are trying the {{plan_name}} plan of {{project}}.
status: live
signal: intent
priority: 90
topic: plans
key: trial                  # a trial of another plan is another journey
repeat: never
goal: upgraded
exclude: [open_tickets]
channel: email
template: trial_ending
after: 0 minutes
within: 20 hours
columns:
  trial_ends_at: {required: true}
  price: {required: true}
---*/
-- Why then: 24 hours before the end, so that the last day is a whole one wherever somebody lives and whatever the quiet hours; and no
-- later than four hours before it, as who reads it then can't decide in peace. What happens otherwise is said plainly.
-- Here nothing is charged when a trial ends. Where it turns into a paid plan by itself, say so earlier: Visa's rules (since April
-- 2020) ask for a reminder seven days before.
select u.user_id, u.email, u.timezone, u.locale, {{before "p.trial_ends_at" "24 hours"}} as occurred_at,
  u.first_name, p.plan as trial, p.plan_name, p.trial_ends_at, p.price, p.currency
from {{audience "current_plan"}} p
join {{source "users"}} u on u.user_id = p.user_id
where p.paid_at is null and p.trial_ends_at > {{as_of}} and {{before "p.trial_ends_at" "24 hours"}} <= {{as_of}}
  and p.occurred_at > {{ago "60 days"}}
