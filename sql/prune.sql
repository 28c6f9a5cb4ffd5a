-- Deletes what is asked for no more. Runs first: which of them stay is told by rows that go after.
delete from {{ledger "runs"}} where run_id in (
{{going_runs}}
);
delete from {{ledger "segment_runs"}} where shape <> '{{forgotten}}' and run_id || ' ' || segment in (
{{going_segment_runs}}
);
delete from {{ledger "sent_ledger"}} where seq in (select seq from (
{{going_rows}}
) going);
update {{ledger "sent_ledger"}} set detail = null, properties = null where {{stays}};
