-- Reads: the wishes of users, and what is forbidden for an address and a topic.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "opted_out"}}
select message_id, rule, {{json "from" "rule"}} as detail
from (
  select message_id, case min(place) when 1 then 'everything' when 2 then 'channel' when 3 then 'topic' else 'channel_topic' end as rule
  from (
    select c.message_id, case when w.channel is null and w.topic is null then 1 when w.topic is null then 2 when w.channel is null then 3 else 4 end as place
    from {{the "candidates"}} c
    join {{the "plan"}} p on p.segment = c.segment and p.step = c.step and p.variant = c.variant
    join {{the "wishes"}} w on w.user_id = c.user_id
    where c.class = 'marketing' and (w.channel is null or w.channel = p.channel) and (w.topic is null or w.topic = p.topic)
    union all
    select message_id, 3 from {{the "forbidden"}} where topic is not null and class = 'marketing'
  ) x
  group by message_id
) y
{{/table}}
