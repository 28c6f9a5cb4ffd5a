-- Reads: the candidates, and whatever stops them.
-- Gives: stops_of_user, with every reason for each candidate of one user, or none.

{{#table "stops_of_user"}}
select c.segment, c.step, c.item_key, {{iso "c.occurred_at"}} as occurred_at, s.reason, s.rule, s.detail
from {{the "candidates"}} c
left join {{the "stops"}} s on s.message_id = c.message_id
where c.user_id = {{canonical_user (user)}}
order by c.segment, c.due_at, c.step, c.message_id, s.place
{{/table}}
