-- Reads: the candidates, and whatever stops them.
-- Gives: stops, a row for each candidate and reason; and answers, the first reason of each candidate by its place.

{{#table "stops"}}
select message_id, place, reason, rule, detail from {{the "bites"}}
{{#each last}}
union all
{{> bite}}
{{/each}}
{{/table}}

{{#table "first_stops"}}
select message_id, reason, rule, detail
from (
  select s.*, row_number() over (partition by message_id order by place) as nth
  from {{the "stops"}} s
) x
where nth = 1
{{/table}}

{{#table "answers"}}
-- numbered in the order in which claims are posted
select c.message_id, coalesce(s.reason, 'claimed') as reason, coalesce(s.rule, '') as rule, s.detail,
  row_number() over (order by case when c.class = 'transactional' then 0 else 1 end, c.priority desc, c.expires_at, c.message_id) as place
from {{the "candidates"}} c
left join {{the "first_stops"}} s on s.message_id = c.message_id
{{/table}}
