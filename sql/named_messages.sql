-- What messages are called: segment and step of each id.
select distinct message_id, segment, step from {{ledger "sent_ledger"}} where message_id in ({{ids}})
