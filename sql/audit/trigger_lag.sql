-- Of live messages: from the moment a message was due to the moment the provider had it, and how much of that was waiting to be asked. Of one
-- whose acceptance was found out later nobody knows the moment.
create or replace view {{ledger "trigger_lag"}} as
select a.segment, a.step, a.message_id, a.user_id, a.due_at, a.decided_at, a.recorded_at as accepted_at,
  {{seconds_between "a.due_at" "a.decided_at"}} as seconds_to_decision, {{seconds_between "a.due_at" "a.recorded_at"}} as seconds_to_acceptance
from {{ledger "sent_ledger"}} a
where a.event = 'accepted' and a.reason = 'accepted' and not coalesce(a.trial, false) and a.run_id not in (select run_id from {{ledger "runs"}} where status = 'forgotten')
