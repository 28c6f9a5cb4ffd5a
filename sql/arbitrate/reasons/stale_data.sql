-- Reads: the candidates, and how old the data of their segments is.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "stale_data"}}
select message_id, rule, {{json "loaded_at" (iso "loaded_at") "due_at" (iso "due_at")}} as detail
from (
  select c.message_id, c.due_at, g.loaded_at, case when g.too_old then 'too_old' when c.due_at > g.loaded_at then 'not_loaded' end as rule
  from {{the "candidates"}} c
  join {{the "segments"}} g on g.segment = c.segment
) x
where rule is not null
{{/table}}
