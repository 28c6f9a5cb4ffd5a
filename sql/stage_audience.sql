-- Who is in one audience: since when (the last time not later than as_of), or without a time.
insert into {{work "audience_members"}} (audience, user_id, reached_at, timeless)
with audience_query as (
{{query}}
)
select {{audience}}, user_id, max(case when occurred_at <= {{as_of}} then occurred_at end), max(case when occurred_at is null then 1 else 0 end)
from (select {{user_id}} as user_id, {{occurred_at}} as occurred_at from audience_query) members
where user_id <> ''
group by user_id
