-- Reads: the line of each segment and of the run.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "run_limit"}}
select message_id, rule, {{json "limit" "most" "of" "rule"}} as detail
from (
  select message_id, 'segment' as rule, max_per_run as most from {{the "segment_line"}} where segment_place > max_per_run
  union all
  select message_id, 'project', {{max_per_run}} from {{the "project_line"}} where project_place > {{max_per_run}}
) x
{{/table}}
