/*---
description: Used the planner this week less than half as much as in the mean of the four weeks before
because: You use {{project}} on the {{plan_name}} plan.
status: live
signal: inactivity
priority: 35
topic: tips
repeat: every 90 days
goal: used_feature
exclude: [open_tickets, new_users]
channel: email
template: usage_dropping
after: 20 hours
within: 5 days
columns:
  favourite: {required: true, accepted_values: [shared_board, weekly_summary, templates, reminders]}
---*/
-- Why then: a week against four evens out weekdays and a single quiet day. At least one use this week, as who does nothing at all
-- is for gone_quiet.sql; so nine or more in the four weeks, and half of next to nothing is not asked about. The next day, not while
-- they are at it; five days, as it may wait for anything more important.
select u.user_id, u.email, u.timezone, u.locale, w.occurred_at, u.first_name, p.plan_name, w.favourite
from (
  select user_id, favourite,
    row_number() over (partition by user_id order by uses desc, favourite) as place,
    max(last_use) over (partition by user_id) as occurred_at,
    sum(this_week) over (partition by user_id) as this_week,
    sum(uses - this_week) over (partition by user_id) as four_weeks
  from (
    select user_id, subject as favourite, count(*) as uses, max(occurred_at) as last_use,
      sum(case when occurred_at > {{ago "7 days"}} then 1 else 0 end) as this_week
    from {{source "events"}}
    where event = 'feature_used' and occurred_at > {{ago "35 days"}} and occurred_at <= {{as_of}}
    group by user_id, subject
  ) by_feature
) w
join {{audience "current_plan"}} p on p.user_id = w.user_id
join {{source "users"}} u on u.user_id = w.user_id
where w.place = 1 and w.this_week >= 1 and 8 * w.this_week < w.four_weeks
