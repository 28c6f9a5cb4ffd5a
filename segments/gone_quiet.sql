/*---
description: Pays, has completed the set-up, and has not been seen for seven days
because: You have a {{project}} plan and have not needed it lately.
status: live
signal: inactivity
priority: 45
topic: tips
repeat: every 60 days
goal: active
exclude: [open_tickets, new_users]
channel: email
template: gone_quiet
after: 7 days
within: 3 days
columns:
  plan_name: {required: true}
---*/
-- Why then: plans are made by the week, so seven days without one are the first that mean anything; fewer are a holiday or a quiet
-- week at work. Not sooner than 60 days after the last time: whoever plans by the month is a customer too.
select u.user_id, u.email, u.timezone, u.locale, a.occurred_at, u.first_name, u.start_url, p.plan_name
from {{audience "active"}} a
join {{audience "set_up"}} s on s.user_id = a.user_id
join {{audience "current_plan"}} p on p.user_id = a.user_id
join {{source "users"}} u on u.user_id = a.user_id
where p.plan <> 'free' and p.paid_at is not null and a.occurred_at > {{ago "11 days"}}
