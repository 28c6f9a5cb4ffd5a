-- Takes a run back. Each of its decisions gets a row that voids it. Claims of messages that left the house are written anew, as
-- decided now; a message in doubt may have arrived, so that its claim stays too.
insert into {{ledger "sent_ledger"}} (seq, run_id, message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at, send_by, decided_at, recorded_at, event, reason, rule, detail, settles, counts, address, properties, provider_id, trial)
with told as (
  select * from {{ledger "sent_ledger"}} where run_id = {{run_id}} and decided_at = {{as_of}}
),
ends as (            -- where each message stands
  select message_id,
    max(case when event = 'sending' then 1 else 0 end) as sending,
    max(case when event = 'accepted' then 1 else 0 end) as accepted,
    max(case when event = 'failed' then 1 else 0 end) as failed,
    max(case when event = 'released' then 1 else 0 end) as released,
    max(case when event = 'in_doubt' then reason end) as doubt,
    max(case when event = 'in_doubt' then detail end) as because,
    max(provider_id) as provider_id
  from told
  where event in ('sending', 'accepted', 'failed', 'in_doubt', 'released')
  group by message_id
),
judged as (
  select d.*, e.doubt, e.because, e.accepted, e.provider_id as taken_as,
    case
      when d.event <> 'claimed' then 'decided'
      when e.released = 1 then 'released'
      when e.accepted = 1 then 'gone'
      when e.failed = 1 then 'failed'
      when e.sending = 1 or e.doubt is not null then 'gone'
      else 'not_sent'
    end as state,
    -- A backfill counts from its own time, which may be wrong.
    case when d.counts_from = d.decided_at and d.counts_from <> d.occurred_at then 1 else 0 end as is_backfill
  from told d
  left join ends e on e.message_id = d.message_id
  where d.event in ('claimed', 'held_out', 'waiting', 'denied', 'settled', 'left', 'backfilled')
),
written as (
  select 1 as part, seq as after_seq, run_id, decided_at, counts_from, due_at,
    case state when 'not_sent' then 'released' else 'voided' end as new_event, 'forgotten' as new_reason, reason as new_rule, {{null_text}} as new_detail,
    -settles as new_settles, case state when 'failed' then 0 else -counts end as new_counts, {{null_text}} as new_address, {{null_text}} as new_properties, {{null_text}} as new_provider_id,
    message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic, template, template_version, occurred_at, expires_at, send_by, trial
  from judged
  where state <> 'released'
  union all
  select 2, seq, {{record}}, {{at}}, case is_backfill when 1 then {{at}} else counts_from end, case is_backfill when 1 then {{at}} else due_at end,
    'claimed', 'kept', '', detail, 1, 1, address, properties, {{null_text}},
    message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic, template, template_version, occurred_at, expires_at, send_by, trial
  from judged
  where state = 'gone'
  union all
  select 3, seq, {{record}}, {{at}}, case is_backfill when 1 then {{at}} else counts_from end, case is_backfill when 1 then {{at}} else due_at end,
    case accepted when 1 then 'accepted' else 'in_doubt' end, case accepted when 1 then 'kept' else coalesce(doubt, 'interrupted') end, '',
    case accepted when 1 then {{null_text}} else because end, 0, 0, {{null_text}}, {{null_text}}, taken_as,
    message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic, template, template_version, occurred_at, expires_at, send_by, trial
  from judged
  where state = 'gone'
)
select {{seq}} + row_number() over (order by part, after_seq), run_id, message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic,
  template, template_version, occurred_at, counts_from, due_at, expires_at, send_by, decided_at, {{at}}, new_event, new_reason, new_rule, new_detail, new_settles, new_counts,
  new_address, new_properties, new_provider_id, trial
from written
