-- Reads: the candidates, and the hours of their zones.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "quiet_hours"}}
select message_id, '' as rule, {{json "zone" "zone" "opens_at" (iso "opens_at")}} as detail
from (
  select c.message_id, c.zone, case when z.zone is null then {{constant other_zone.shut "boolean"}} else z.shut end as shut,
    case when z.zone is null then {{constant other_zone.opens_at "timestamp"}} else z.opens_at end as opens_at
  from {{the "candidates"}} c
  left join {{the "zones"}} z on z.zone = {{lower_ascii "c.zone"}}
  where c.class = 'marketing'
) x
where shut
{{/table}}
