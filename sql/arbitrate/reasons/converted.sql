-- Reads: the candidates, and the members of goals.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "converted"}}
select c.message_id, '' as rule, {{json "goal" "g.goal" "reached_at" (iso "m.reached_at")}} as detail
from {{the "candidates"}} c
join {{the "segments"}} g on g.segment = c.segment
join {{work "audience_members"}} m on m.audience = g.goal and m.user_id = c.user_id
where c.standing = 'fresh' and (m.timeless = 1 or m.reached_at > c.occurred_at)
{{/table}}
