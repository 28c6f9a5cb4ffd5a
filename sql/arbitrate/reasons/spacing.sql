-- Reads: the last marketing message of the candidates' users and addresses.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "spacing"}}
select message_id, '' as rule, {{json "last_claimed_at" (iso "last_at") "spacing_seconds" "window_seconds"}} as detail
from {{the "full_caps"}}
where is_spacing
{{/table}}
