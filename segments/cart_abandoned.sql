/*---
description: A cart with something in it, left alone for ten minutes
because: You left something in your cart.
status: live
signal: intent
priority: 80
topic: carts
key: cart_id                # each cart is a journey of its own
repeat: never               # and is written about once, however often it is touched again
goal: ordered
exclude: [open_tickets]
steps:
  - {name: nudge, after: 10 minutes, within: 6 hours, channel: email, template: cart_nudge}
  - {name: reminder, after: 24 hours, within: 24 hours, channel: email, template: cart_reminder}
columns:
  total: {required: true}
  currency: {required: true, accepted_values: [EUR, USD, GBP]}
keep_properties: [total]
---*/
-- Why then: ten minutes, while the things are still in mind; within six hours, as most who mean to buy have done so by then.
-- (SaleCycle, over 500 retailers in 2017, saw the most orders from emails an hour later: `variants` will tell what holds for you.)
-- The next day at the same hour is the second and last time. Only who never bought gets a code, and only then: whoever
-- comes back unasked, or knows the shop, needs none. The code is good for two more days at least.
select c.user_id, u.email, u.timezone, u.locale, c.updated_at as occurred_at,
  u.first_name, c.cart_id, c.items, c.item_count, c.total, c.currency, c.cart_url,
  case when b.user_id is null then d.code end as code, d.percent
from {{source "carts"}} c
join {{source "users"}} u on u.user_id = c.user_id
left join (select distinct user_id from {{source "orders"}} where ordered_at <= {{as_of}}) b on b.user_id = c.user_id
left join {{source "orders"}} o on o.cart_id = c.cart_id and o.ordered_at <= {{as_of}}
left join {{source "discount_codes"}} d on d.user_id = c.user_id and {{before "d.expires_at" "2 days"}} > {{as_of}}
where c.updated_at > {{ago "3 days"}} and c.total >= {{var "smallest_cart"}} and o.cart_id is null
