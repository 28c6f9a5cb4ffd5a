-- One row a claim or hold-out, with where it stands now; a message that was released and claimed again has a row for each. What left in a run that was taken back is the record's.
create or replace view {{ledger "messages"}} as
with events as (
  select message_id, run_id,
    max(case when event in ('claimed', 'held_out') then event end) as decision,
    max(case when event = 'sending' then recorded_at end) as sending_at,
    max(case when event = 'accepted' then recorded_at end) as accepted_at,
    max(case when event = 'accepted' and reason <> 'accepted' then reason end) as accepted,
    max(case when event = 'failed' then reason end) as failed,
    max(case when event = 'in_doubt' then reason end) as in_doubt,
    max(case when event = 'released' then reason end) as released,
    max(case when event in ('failed', 'in_doubt', 'released') then detail end) as outcome_detail,
    max(provider_id) as provider_id
  from {{ledger "sent_ledger"}}
  where event in ('claimed', 'held_out', 'sending', 'accepted', 'failed', 'in_doubt', 'released')
  group by message_id, run_id
)
select c.message_id, c.run_id, c.segment, c.step, c.variant, c.user_id, c.item_key, c.class, c.channel, c.topic, c.template, c.template_version, c.address,
  c.occurred_at, c.due_at, c.decided_at, e.sending_at, e.accepted_at, e.provider_id,
  case
    when c.event = 'held_out' then 'held_out'
    when e.accepted_at is not null then 'accepted'
    when e.released is not null then 'released'
    when e.failed is not null then 'failed'
    when e.in_doubt is not null then 'in_doubt'
    when e.sending_at is not null then 'sending'
    else 'claimed'
  end as status,
  case when e.accepted_at is not null then e.accepted else coalesce(e.released, e.failed, e.in_doubt) end as status_reason, e.outcome_detail, c.counts + coalesce(n.counts, 0) as counts, coalesce(c.trial, false) as trial
from {{ledger "sent_ledger"}} c
join events e on e.message_id = c.message_id and e.run_id = c.run_id
left join (
  select message_id, run_id, sum(counts) as counts from {{ledger "sent_ledger"}} where event in ('failed', 'released') group by message_id, run_id
) n on n.message_id = c.message_id and n.run_id = c.run_id
where c.event in ('claimed', 'held_out') and c.run_id not in (select run_id from {{ledger "runs"}} where status = 'forgotten')
