-- Reads: the candidates, what stops them, and the claims of their journeys.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "later_steps"}}
-- of each journey that could have two: the latest step claimed, and the latest that could go now
select segment, user_id, item_key, max(case when standing <> 'fresh' then last_due_at end) as claimed_due_at, max(case when b.message_id is null then due_at end) as open_due_at
from {{the "candidates"}} c
left join (select distinct message_id from {{the "bites"}} where reason in ({{closing}})) b on b.message_id = c.message_id
group by segment, user_id, item_key
having count(*) > 1 or max(case when standing <> 'fresh' then 1 else 0 end) = 1
{{/table}}

{{#table "superseded"}}
select c.message_id, '' as rule, {{null_text}} as detail
from {{the "candidates"}} c
join {{the "later_steps"}} l on l.segment = c.segment and l.user_id = c.user_id and l.item_key = c.item_key
where l.open_due_at > c.due_at or l.claimed_due_at > c.due_at
{{/table}}
