-- Appends this run's changed answers to the ledger; {{seq}} numbers them after everything before.
insert into {{ledger "sent_ledger"}} (seq, run_id, message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at, send_by, decided_at, recorded_at, event, reason, rule, detail, settles, counts, address, properties, trial)
select {{seq}} + d.place, {{run_id}}, d.message_id, d.segment, d.segment_version, d.step, d.variant, d.factor, d.user_id, d.item_key, d.class, d.channel, d.topic, d.template, d.template_version,
  d.occurred_at, d.counts_from, d.due_at, d.expires_at, d.send_by, {{as_of}}, {{recorded_at}}, d.event, d.reason, d.rule, d.detail, d.settles, d.counts, d.address,
  case when d.event = 'claimed' then r.kept end, {{trial}}
from {{work "decisions"}} d
left join {{work "segment_rows"}} r on d.event = 'claimed' and r.segment = d.segment and r.user_id = d.user_id and r.item_key = d.item_key and r.dropped is null and r.kept is not null
where d.changed = 1
