-- Users who were claimed or held out with an address, in any of its forms.
select distinct user_id from {{ledger "sent_ledger"}} where address in {{addresses}} and {{of_kind}} order by user_id limit {{most}}
