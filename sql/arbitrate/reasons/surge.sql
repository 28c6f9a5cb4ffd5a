-- Reads: the candidates of segments that offer far more than usual.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "surge"}}
select c.message_id, '' as rule, {{json "offered" "g.surge_offered" "limit" "g.surge_limit"}} as detail
from {{the "candidates"}} c
join {{the "segments"}} g on g.segment = c.segment
where g.surge_limit is not null and g.paused_by is null
{{/table}}
