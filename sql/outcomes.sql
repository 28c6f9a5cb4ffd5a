-- Appends what became of claims: each outcome carries its claim's run and decided_at, so that sums over a window stay whole.
-- The bounds of the claims' places save DuckDB, which has no index here, from reading all decisions for each batch.
insert into {{ledger "sent_ledger"}} (seq, run_id, message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at, send_by, decided_at, recorded_at, event, reason, rule, detail, settles, counts, provider_id, trial)
select {{seq}} + o.place, {{run_id}}, d.message_id, d.segment, d.segment_version, d.step, d.variant, d.factor, d.user_id, d.item_key, d.class, d.channel, d.topic, d.template, d.template_version,
  d.occurred_at, d.counts_from, d.due_at, d.expires_at, d.send_by, {{as_of}}, o.recorded_at, o.event, o.reason, o.rule, o.detail,
  case when o.event = 'released' then -1 else 0 end, case when o.event in ('released', 'failed') then -1 else 0 end, o.provider_id, {{trial}}
from {{work "outcomes"}} o
join {{work "decisions"}} d on d.message_id = o.message_id and d.event = 'claimed' and d.place between {{first}} and {{last}}
