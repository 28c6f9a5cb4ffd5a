/*---
description: Began the set-up, and stopped before one of its steps for three days
because: Your {{project}} planner is set up in part.
status: live
signal: inactivity
priority: 50
topic: onboarding
key: next_step              # whoever stops at a later step again gets help with that one
repeat: never
goal: setup_step
exclude: [open_tickets]
channel: email
template: setup_stalled
after: 3 days
within: 48 hours
columns:
  start_url: {required: true}
  next_step: {required: true, accepted_values: [import_calendar, invite_teammate, first_review]}
keep_properties: [next_step]
---*/
-- Why then: three days are a weekend and a Monday: who has not gone on by then has met an obstacle rather than a busy afternoon.
-- The first week belongs to welcome.sql.
select u.user_id, u.email, u.timezone, u.locale, p.occurred_at, u.first_name, u.start_url, p.next_step, p.steps_done
from {{audience "setup_progress"}} p
join {{source "users"}} u on u.user_id = p.user_id
where p.next_step is not null and p.occurred_at > {{ago "6 days"}} and u.signed_up_at <= {{ago "7 days"}}
