-- Appends what was found out, or decided, about claims that are {{state}}; whether they still are is asked in the same statement.
insert into {{ledger "sent_ledger"}} (seq, run_id, message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at, send_by, decided_at, recorded_at, event, reason, rule, detail, settles, counts, trial)
with {{> open_claims}}
select {{seq}} + row_number() over (order by seq), run_id, message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic,
  template, template_version, occurred_at, counts_from, due_at, expires_at, send_by, decided_at, {{recorded_at}},
  '{{event}}', '{{reason}}', '', {{null_text}}, {{settles}}, {{counts}}, trial
from open_claims
