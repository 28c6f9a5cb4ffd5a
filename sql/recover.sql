-- Settles the claims of runs that never ended: without `sending` they were not handed over and are released,
-- with it but without an answer they are in doubt, unless their channel resends.
insert into {{ledger "sent_ledger"}} (seq, run_id, message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at, send_by, decided_at, recorded_at, event, reason, rule, detail, settles, counts, trial)
with unfinished as (
  select run_id, as_of from {{ledger "runs"}} where status = 'running'
),
events as (
  select l.* from {{ledger "sent_ledger"}} l join unfinished u on u.run_id = l.run_id and l.decided_at = u.as_of
),
handed_over as (
  select run_id, message_id, max(case when event = 'sending' then 1 else 0 end) as sending, max(case when event <> 'sending' then 1 else 0 end) as answered
  from events
  where event in ('sending', 'accepted', 'failed', 'in_doubt', 'released')
  group by run_id, message_id
),
left_over as (
  select c.*,
    case when h.sending is null then 'interrupted' when {{resends}} then 'resend' else 'no_answer' end as why
  from events c
  left join handed_over h on h.run_id = c.run_id and h.message_id = c.message_id
  where c.event = 'claimed' and coalesce(h.answered, 0) = 0
)
select {{seq}} + row_number() over (order by seq), run_id, message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic,
  template, template_version, occurred_at, counts_from, due_at, expires_at, send_by, decided_at, {{recorded_at}},
  case why when 'no_answer' then 'in_doubt' else 'released' end, case why when 'resend' then 'resend' else 'interrupted' end, '', {{null_text}},
  case why when 'no_answer' then 0 else -1 end, case why when 'no_answer' then 0 else -1 end, trial
from left_over
