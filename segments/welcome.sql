/*---
description: Signed up six hours ago and did nothing yet
because: You opened an account with us.
status: live
signal: recency
priority: 50
topic: onboarding
repeat: never
goal: started
first_run: send
steps:
  - {name: first_step, after: 6 hours, within: 24 hours, channel: email, template: welcome}
---*/
select user_id, email, timezone, locale, signed_up_at as occurred_at,
  first_name, start_url
from {{source "users"}}
where signed_up_at > {{ago "3 days"}}
