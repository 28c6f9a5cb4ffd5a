-- Who is in one audience: since when (the last time not later than as_of), or without a time.
insert into {{work "audience_members"}} (audience, user_id, reached_at, timeless)
with audience_query as (
{{query}}
)
select {{audience}}, cast({{user_id}} as {{types.text}}),
  max(case when {{occurred_at}} <= {{as_of}} then {{occurred_at}} end),
  max(case when {{occurred_at}} is null then 1 else 0 end)
from audience_query
where {{user_id}} is not null
group by cast({{user_id}} as {{types.text}})
