-- Reads: what is forbidden for an address and everything.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "suppressed"}}
select message_id, min(reason) as rule, {{json "because" "min(reason)"}} as detail
from {{the "forbidden"}}
where topic is null and (class = 'marketing' or reason <> 'unsubscribe')
group by message_id
{{/table}}
