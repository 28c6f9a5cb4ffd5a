/*---
description: The customers we would least like to lose, by their orders of the last year
---*/
select user_id, occurred_at
from {{audience "rfm"}} customers
where tier in ('champion', 'loyal')
