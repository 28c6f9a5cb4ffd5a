-- This run's claims with what their templates need, in the order of the line.
select d.message_id, d.segment, d.step, d.variant, d.user_id, d.item_key, d.class, d.channel, d.topic, d.template, {{iso "d.occurred_at"}} as occurred_at,
  {{microseconds "d.send_by"}} / 1000 as send_by_ms, d.address, r.email, r.phone, r.device_token, r.timezone, r.locale, r.properties
from {{work "decisions"}} d
join {{work "segment_rows"}} r on r.segment = d.segment and r.user_id = d.user_id and r.item_key = d.item_key and r.dropped is null
where d.event = 'claimed'
order by d.place
