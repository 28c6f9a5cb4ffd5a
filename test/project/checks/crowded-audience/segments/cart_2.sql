/*---
description: A cart with something in it, left alone for ten minutes
because: You left something in your cart.
status: live
signal: intent
priority: 48
goal: ordered
exclude: [staff]
steps:
  - {name: nudge, after: 10 minutes, within: 6 hours, channel: email, template: cart}
---*/
select c.user_id, u.email, u.first_name, c.updated_at as occurred_at, c.item_count, c.cart_url
from {{source "carts"}} c
join {{source "users"}} u on u.user_id = c.user_id
where c.updated_at > {{ago "1 day"}}
