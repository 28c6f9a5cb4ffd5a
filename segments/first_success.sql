/*---
description: Used shared boards or templates for the first time, and not yet the feature that goes with them
because: You use {{project}}, and this is about a feature you began with.
status: live
signal: frequency
priority: 40
topic: tips
key: feature
repeat: never
goal: used_companion
exclude: [open_tickets]
channel: email
template: first_success
after: 20 hours
within: 48 hours
columns:
  feature: {required: true, accepted_values: [shared_board, templates]}
---*/
-- Why then: the next day at about the hour at which it went well, so that the tip meets the same kind of moment. Sooner, it would
-- interrupt the first success; after three days it is news of a thing long past.
select u.user_id, u.email, u.timezone, u.locale, f.occurred_at, u.first_name, f.feature
from (
  select user_id, subject as feature, min(occurred_at) as occurred_at
  from {{source "events"}}
  where event = 'feature_used' and subject in ('shared_board', 'templates')
    and occurred_at > {{ago "730 days"}} and occurred_at <= {{as_of}}
  group by user_id, subject
) f
join {{source "users"}} u on u.user_id = f.user_id
left join (
  select distinct user_id, subject
  from {{source "events"}}
  where event = 'feature_used' and subject in ('weekly_summary', 'reminders') and occurred_at <= {{as_of}}
) known on known.user_id = f.user_id and known.subject = case f.feature when 'shared_board' then 'weekly_summary' else 'reminders' end
where f.occurred_at > {{ago "4 days"}} and known.user_id is null
