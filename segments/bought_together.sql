/*---
description: Ordered two weeks ago, and others who bought the same often bought one thing more
because: You have bought from the {{project}} shop.
status: live
signal: recency
priority: 20
topic: shop
repeat: every 45 days
goal: ordered
exclude: [open_tickets, dormant]
channel: email
template: bought_together
after: 14 days
within: 3 days
columns:
  product_name: {required: true}
  product_url: {required: true}
---*/
-- Why then: after two weeks the parcel is there and in use. Sooner, a second offer reads as if the first order had not been enough.
-- At least five other customers, so that nobody's own taste can be read from somebody else's email.
with bought as (
  select distinct o.user_id, i.product_id
  from {{source "orders"}} o
  join {{source "order_items"}} i on i.order_id = o.order_id
  where o.ordered_at > {{ago "180 days"}} and o.ordered_at <= {{as_of}}
),
last_order as (
  select user_id, order_id, ordered_at
  from (
    select user_id, order_id, ordered_at, row_number() over (partition by user_id order by ordered_at desc, order_id) as newest
    from {{source "orders"}}
    where ordered_at > {{ago "180 days"}} and ordered_at <= {{as_of}}
  ) numbered
  where newest = 1 and ordered_at > {{ago "18 days"}}
),
pairs as (
  select a.product_id, b.product_id as other_id, count(*) as customers
  from bought a
  join bought b on b.user_id = a.user_id and b.product_id <> a.product_id
  group by a.product_id, b.product_id
  having count(*) >= 5
),
offers as (
  select l.user_id, l.ordered_at, i.product_id as bought_id, p.other_id,
    row_number() over (partition by l.user_id order by p.customers desc, p.other_id, i.product_id) as place
  from last_order l
  join {{source "order_items"}} i on i.order_id = l.order_id
  join pairs p on p.product_id = i.product_id
  left join bought own on own.user_id = l.user_id and own.product_id = p.other_id
  where own.product_id is null
)
select u.user_id, u.email, u.timezone, u.locale, f.ordered_at as occurred_at, u.first_name,
  b.name as bought_name, o.name as product_name, o.product_url
from offers f
join {{source "products"}} b on b.product_id = f.bought_id
join {{source "products"}} o on o.product_id = f.other_id
join {{source "users"}} u on u.user_id = f.user_id
where f.place = 1
