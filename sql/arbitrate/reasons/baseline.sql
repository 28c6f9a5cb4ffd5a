-- Reads: the candidates, and since when their steps are.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "baseline"}}
select c.message_id, '' as rule, {{json "activated_at" (iso "coalesce(p.activated_at, p.active_since)")}} as detail
from {{the "candidates"}} c
join {{the "plan"}} p on p.segment = c.segment and p.step = c.step and p.variant = c.variant
where c.is_baseline = 1 and not c.backfill or c.standing = 'running' and c.due_at <= p.active_since and c.last_event is null
{{/table}}
