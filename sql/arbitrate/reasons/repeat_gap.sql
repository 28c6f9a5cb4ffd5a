-- Reads: the candidates, and when their last journey began.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "repeat_gap"}}
select c.message_id, '' as rule, {{json "last_claimed_at" (iso "c.last_counting_at") "repeat_seconds" "g.repeat_seconds"}} as detail
from {{the "candidates"}} c
join {{the "segments"}} g on g.segment = c.segment
where c.standing = 'fresh' and g.repeat_kind = 'every' and {{plus_seconds "c.last_counting_at" "g.repeat_seconds"}} > c.first_due_at
{{/table}}
