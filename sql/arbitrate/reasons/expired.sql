-- Reads: the candidates, and what they waited for last.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "expired"}}
select message_id, rule, {{json "waited_for" "rule" "window_ended_at" (iso "expires_at")}} as detail
from (
  select message_id, expires_at, case when last_event = 'waiting' then last_reason else '' end as rule
  from {{the "candidates"}}
  where expires_at <= {{as_of}}
) x
{{/table}}
