-- Reads: the candidates, and when the step before them was claimed.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "step_gap"}}
select message_id, '' as rule, {{json "last_step_claimed_at" (iso "last_claim_at") "gap_seconds" (seconds_between "last_due_at" "due_at")}} as detail
from {{the "candidates"}}
where standing <> 'fresh' and last_due_at < due_at
  and {{microseconds as_of}} - {{microseconds "last_claim_at"}} < {{microseconds "due_at"}} - {{microseconds "last_due_at"}}
{{/table}}
