-- Reads: the candidates, and what their messages need.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "invalid"}}
select message_id, rule, {{json "problem" "rule"}} as detail
from (
  select c.message_id, n.field as rule, row_number() over (partition by c.message_id order by n.place) as place
  from {{the "candidates"}} c
  join {{the "needs"}} n on n.segment = c.segment and n.step = c.step and n.variant = c.variant
  where c.problems <> '' and replace(c.problems, n.code, '') <> c.problems
) x
where place = 1
{{/table}}
