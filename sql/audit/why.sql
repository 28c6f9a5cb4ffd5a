-- Each user's story in words: filter by user_id, order by seq.
create or replace view {{ledger "why"}} as
select user_id, seq, decided_at, recorded_at, segment, step, item_key, occurred_at, due_at, expires_at, event, reason, rule, channel, message_id, run_id, detail,
  case event
    when 'claimed' then case reason when 'kept' then 'had left in a run that was taken back; counts from now' else 'will be sent' end
    when 'held_out' then 'kept silent by the holdout of the ' || rule
    when 'sending' then 'handed to the provider'
    when 'accepted' then case reason when 'settled' then 'settled by hand: it was sent' when 'kept' then 'had been accepted by the provider' else 'accepted by the provider' end
    when 'failed' then case reason
      when 'invalid' then 'could not be rendered'
      when 'not_sent' then 'settled by hand: it was not sent'
      else 'refused by the provider'
    end
    when 'in_doubt' then case reason when 'interrupted' then 'handed over, and the run was cut off before an answer came' else 'handed over, and no answer came' end
    when 'released' then case reason
      when 'resend' then 'no answer came; offered again'
      when 'retry' then 'offered again after a fix'
      when 'forgotten' then 'not sent: the run was taken back'
      else 'not sent after all (' || reason || '); decided again'
    end
    when 'voided' then 'the run was taken back (' || rule || ')'
    when 'left' then 'no longer returned by the segment; had waited for ' || rule
    when 'backfilled' then 'taken up by a backfill'
    else case reason
      when 'baseline' then 'had qualified before the segment began'
      when 'invalid' then 'cannot be sent: ' || rule || ' is missing or malformed'
      when 'audience_failed' then 'waits: audience ' || rule || ' failed'
      when 'converted' then 'reached the goal'
      when 'excluded' then 'is in the excluded audience ' || rule
      when 'no_consent' then 'is not in the required audience ' || rule
      when 'suppressed' then 'the address is suppressed: ' || rule
      when 'opted_out' then 'opted out of ' || rule
      when 'expired' then case rule when '' then 'the window was over' else 'the window ended while waiting for ' || rule end
      when 'superseded' then case rule when '' then 'a later step took its place' else 'a newer behaviour took its place' end
      when 'repeat_gap' then 'too soon after the last journey'
      when 'paused' then 'waits: the ' || rule || ' is paused'
      when 'surge' then 'waits for approval: the segment offered more than policy.surge allows'
      when 'stale_data' then 'waits for fresh data'
      when 'step_gap' then 'waits: too soon after the step before'
      when 'quiet_hours' then 'waits for the end of the quiet hours'
      when 'cap' then 'waits: the cap of ' || rule || ' is full'
      when 'spacing' then 'waits: too soon after the last message'
      when 'outranked' then case rule when 'user' then 'waits: a more important message went first' else 'waits: another user at this address went first' end
      when 'run_limit' then 'waits: the run limit of the ' || rule || ' is reached'
      else reason
    end
  end as explanation, coalesce(trial, false) as trial
from {{ledger "sent_ledger"}}
