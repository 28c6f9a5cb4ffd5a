/*---
description: Signed up, and has not completed the set-up
because: You opened a {{project}} account.
status: live
signal: recency
priority: 60
topic: onboarding
repeat: never
goal: set_up
exclude: [open_tickets]     # whoever asked us something gets an answer, not a sequence
steps:
  - {name: welcome, after: 6 hours, within: 18 hours, channel: email, template: welcome}
  - {name: prompt, after: 2 days, within: 24 hours, channel: email, template: setup_prompt}
  - {name: check_in, after: 5 days, within: 48 hours, channel: email, template: setup_check_in}
columns:
  start_url: {required: true}
  next_step: {required: true, accepted_values: [create_planner, import_calendar, invite_teammate, first_review]}
---*/
-- Why then: six hours, because the first sitting is over by then, and whoever wanted to look round alone has done so. Day two,
-- because a planner is of use from the second morning on. Day five, because it is the last working day that a sign-up of any
-- weekday reaches within a week, and before the first week is over one can still begin afresh. From the second week on,
-- setup_stalled.sql helps with the step that somebody is stuck at.
select u.user_id, u.email, u.timezone, u.locale, u.signed_up_at as occurred_at,
  u.first_name, u.start_url, coalesce(p.next_step, 'create_planner') as next_step, coalesce(p.steps_done, 0) as steps_done
from {{source "users"}} u
left join {{audience "setup_progress"}} p on p.user_id = u.user_id
where u.signed_up_at > {{ago "8 days"}} and u.signed_up_at <= {{as_of}}
  and coalesce(p.steps_done, 0) < 4
