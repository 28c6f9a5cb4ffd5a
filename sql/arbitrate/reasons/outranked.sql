-- Reads: the line of each user and each address.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "outranked"}}
select message_id, rule, {{json "winner" "winner" "by" "rule"}} as detail
from (
  select message_id, 'user' as rule, winner from {{the "line"}} where place > 1
  union all
  select message_id, 'address', address_winner from {{the "address_line"}} where address_place > 1
) x
{{/table}}
