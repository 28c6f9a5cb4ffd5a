/*---
description: How far each user has got with the set-up, when they completed a step last, and which step comes next
---*/
-- The steps come in this order, so the furthest says all: a step longer ago than we look back is not missed.
select user_id, occurred_at, steps_done,
  case steps_done
    when 1 then 'import_calendar'
    when 2 then 'invite_teammate'
    when 3 then 'first_review'
  end as next_step
from (
  select user_id, max(occurred_at) as occurred_at,
    max(case subject when 'create_planner' then 1 when 'import_calendar' then 2 when 'invite_teammate' then 3 when 'first_review' then 4 end) as steps_done
  from {{source "events"}}
  where event = 'setup_step_completed' and occurred_at > {{ago "730 days"}} and occurred_at <= {{as_of}}
  group by user_id
) furthest
