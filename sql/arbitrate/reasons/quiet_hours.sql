-- Reads: the candidates, and the hours of their zones.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "quiet_hours"}}
select c.message_id, '' as rule, {{json "zone" "c.zone" "opens_at" (iso "h.opens_at")}} as detail
from {{the "candidates"}} c
join {{the "hours"}} h on h.zone = c.zone and h.shut
where c.class = 'marketing'
{{/table}}
