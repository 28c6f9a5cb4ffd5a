-- How many messages are trials, and their rows.
select count(*) as row_count, count(distinct run_id || ' ' || message_id) as messages from {{ledger "sent_ledger"}} where trial
