-- Reads: the caps that are full for the candidates' users and addresses.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "cap"}}
select message_id, name as rule, {{json "cap" "name" "used" "used" "max" "max_claims" "window_seconds" "window_seconds"}} as detail
from {{the "full_caps"}}
where not is_spacing
{{/table}}
