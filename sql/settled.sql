-- What was appended just now.
select message_id, {{iso "expires_at"}} as expires_at from {{ledger "sent_ledger"}} where seq > {{base}} order by seq
