-- Reads: the candidates, and the hold-outs of their journeys, their segments and the project.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "held_out"}}
select message_id, rule, {{json "holdout" "rule"}} as detail
from (
  select c.message_id,
    case
      when c.standing <> 'fresh' then c.held_out_by
      {{#if holdouts}}
      when {{bucket (salt) "'holdout'" "c.user_id"}} < {{project_holdout_below}} then 'project'
      when {{bucket (salt) "'holdout'" "c.user_id" "c.segment"}} < g.holdout_below then 'segment'
      {{/if}}
    end as rule
  from {{the "candidates"}} c
  join {{the "segments"}} g on g.segment = c.segment
  where c.class = 'marketing'
) x
where rule is not null
{{/table}}
