-- Reads: the candidates of paused segments and channels.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "paused"}}
select message_id, rule, {{json "scope" "rule"}} as detail
from (
  select c.message_id, case when p.paused_by is not null then p.paused_by when p.channel_paused and p.surge_limit is null then 'channel' end as rule
  from {{the "candidates"}} c
  join {{the "plan"}} p on p.segment = c.segment and p.step = c.step and p.variant = c.variant
) x
where rule is not null
{{/table}}
