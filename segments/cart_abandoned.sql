/*---
description: A cart with something in it, left alone for ten minutes
because: You left something in your cart.
status: live
signal: intent
priority: 80
topic: carts
key: cart_id                # each cart is a journey of its own
repeat: never               # and is written about once, however often it is touched again
goal: {audience: ordered, within: 7 days}
first_run: send             # the sample shop is to be seen at work; leave it out, and those who qualify already hear nothing
steps:
  - {name: nudge, after: 10 minutes, within: 6 hours, channel: email, template: cart_reminder}
  - {name: reminder, after: 24 hours, within: 24 hours, channel: email, template: cart_reminder}
columns:
  total: {required: true}
  currency: {required: true, accepted_values: [EUR, USD, GBP]}
keep_properties: [total]
---*/
select c.user_id, u.email, u.timezone, u.locale, c.updated_at as occurred_at,
  u.first_name, c.cart_id, c.items, c.item_count, c.total, c.currency, c.cart_url
from {{source "carts"}} c
join {{source "users"}} u on u.user_id = c.user_id
where c.updated_at > {{ago "3 days"}} and c.total >= {{var "smallest_cart"}}
