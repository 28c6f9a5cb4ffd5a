-- Ids and addresses in their one form, as runs compare them from now on: what was said of '7.0' is known of '7'.
update {{ledger "sent_ledger"}} set user_id = {{canonical_user "user_id"}} where user_id <> {{canonical_user "user_id"}};
update {{ledger "sent_ledger"}} set address = {{address}} where address <> {{address}};
update {{ledger "preferences"}} set user_id = {{canonical_user "user_id"}} where user_id <> {{canonical_user "user_id"}};
update {{ledger "suppressions"}} set address = {{address}} where address <> {{address}};

-- Messages that were written to files were trials, unless their channel writes files on a live target.
update {{ledger "sent_ledger"}} set trial = true
where trial is null and run_id || ' ' || message_id in (
  select run_id || ' ' || message_id from {{ledger "sent_ledger"}} where provider_id like 'outbox:%' and {{by_trials}}
);
