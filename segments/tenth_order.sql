/*---
description: Placed their tenth order
because: You have bought from the {{project}} shop ten times.
status: live
signal: frequency
priority: 30
topic: shop
repeat: never
goal: ordered
exclude: [open_tickets]
channel: email
template: tenth_order
after: 20 hours
within: 3 days
columns:
  first_ordered_at: {required: true}
---*/
-- Why then: the next day, when the confirmation has been read and the thanks are not mistaken for it; within three days, as thanks
-- that come later are for nothing in particular. Who orders again before that has no need of them.
select u.user_id, u.email, u.timezone, u.locale, o.ordered_at as occurred_at, u.first_name, o.first_ordered_at
from (
  select user_id, ordered_at,
    row_number() over (partition by user_id order by ordered_at, order_id) as place,
    min(ordered_at) over (partition by user_id) as first_ordered_at
  from {{source "orders"}}
  where ordered_at <= {{as_of}}
) o
join {{source "users"}} u on u.user_id = o.user_id
where o.place = 10 and o.ordered_at > {{ago "5 days"}}
