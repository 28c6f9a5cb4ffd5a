-- Reads: the candidates of segments one of whose audiences failed.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "audience_failed"}}
select c.message_id, g.failed_audience as rule, {{json "audience" "g.failed_audience"}} as detail
from {{the "candidates"}} c
join {{the "segments"}} g on g.segment = c.segment
where g.failed_audience is not null
{{/table}}
