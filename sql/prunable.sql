-- What pruning would delete, by event, and empty.
select event as name, count(*) as n from (
{{rows}}
) r group by event
union all
select ' segment_runs', count(*) from (
{{segment_runs}}
) r
union all
select ' runs', count(*) from (
{{runs}}
) r
union all
select ' emptied', count(*) from {{ledger "sent_ledger"}} where {{stays}}
