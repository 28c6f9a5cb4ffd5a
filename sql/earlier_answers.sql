-- The last answers of each channel's provider, the newest first. What a person recorded, and what no provider was asked, is not an answer;
-- what was written anew as a run was taken back, its own rows say.
with answers as (
  select channel, event, detail, row_number() over (partition by channel order by seq desc) as newest
  from {{ledger "sent_ledger"}}
  where decided_at >= {{since}} and {{heeded}} and run_id not like '{{record}}%' and (
    event = 'accepted' and reason = 'accepted' and coalesce(provider_id, '') not like '{{outbox}}%'
    or event = 'failed' and reason = 'rejected' and rule = ''
    or event = 'in_doubt' and reason = 'no_answer'
    or event = 'released' and reason = 'provider_unavailable'
  )
)
select channel, event, detail from answers where newest <= {{most}} order by channel, newest
