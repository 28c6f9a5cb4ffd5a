/*---
description: Every customer of the last year by recency, frequency and money spent, each from 1 to 5, and the tier that follows
---*/
-- Fifths of the customers, 5 the best: the scores of direct mail (Arthur Hughes, "Strategic Database Marketing"). Ties are
-- broken by the user's id, so that nobody's tier changes from run to run by chance.
-- In one currency: convert the totals first if you sell in several.
select user_id, occurred_at, orders, spent, recency, frequency, money,
  case
    when recency >= 4 and frequency >= 4 and money >= 4 then 'champion'
    when frequency >= 4 and recency >= 3 then 'loyal'
    when frequency >= 4 then 'slipping'
    when recency >= 4 then 'recent'
    else 'other'
  end as tier
from (
  select user_id, occurred_at, orders, spent,
    ntile(5) over (order by occurred_at, user_id) as recency,
    ntile(5) over (order by orders, user_id) as frequency,
    ntile(5) over (order by spent, user_id) as money
  from (
    select user_id, max(ordered_at) as occurred_at, count(*) as orders, sum(total) as spent
    from {{source "orders"}}
    where ordered_at > {{ago "365 days"}} and ordered_at <= {{as_of}}
    group by user_id
  ) customers
) scored
