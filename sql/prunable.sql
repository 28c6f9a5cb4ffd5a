-- What pruning would delete, by event, and empty.
select event as name, count(*) as n from (
{{going_rows}}
) r group by event
union all
select ' segment_runs', count(*) from (
{{going_segment_runs}}
) r
union all
select ' runs', count(*) from (
{{going_runs}}
) r
union all
select ' emptied', count(*) from {{ledger "sent_ledger"}} where {{stays}}
