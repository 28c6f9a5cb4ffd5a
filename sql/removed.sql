-- Messages that wait in segments without a file: each leaves one row, as if its segment returned it no more.
insert into {{ledger "sent_ledger"}} (seq, run_id, message_id, segment, segment_version, step, variant, user_id, item_key, class, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at, send_by, decided_at, recorded_at, event, reason, rule, detail, settles, counts, trial)
with answers as (
  select l.*, row_number() over (partition by l.segment, l.step, l.user_id, l.item_key, l.occurred_at order by l.seq desc) as newest
  from {{ledger "sent_ledger"}} l
  where l.decided_at >= {{from}} and l.segment in ({{segments}}) and l.event not in ('sending', 'accepted', 'failed', 'in_doubt') and {{of_kind}}
    and l.run_id not in (select run_id from {{ledger "runs"}} where status = 'forgotten')
)
select {{seq}} + row_number() over (order by seq), {{run_id}}, message_id, segment, segment_version, step, '', user_id, item_key, class, channel, topic,
  {{null_text}}, {{null_text}}, occurred_at, counts_from, due_at, expires_at, {{null_timestamp}}, {{as_of}}, {{recorded_at}},
  'left', 'left', case event when 'released' then 'released' else reason end,
  {{json "waited_for" "reason" "waited_seconds" (seconds_between "decided_at" as_of) "segment" "'removed'"}}, 0, 0, trial
from answers
where newest = 1 and event in ('waiting', 'released')
