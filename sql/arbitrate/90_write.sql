-- Reads: candidates with their answers, and endings.
-- Gives: the rows of the work table of decisions; by their places beginnings come first, so that answers of the same run stand.

{{#table "decisions" into="message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, priority, channel, topic, template, template_version, occurred_at, counts_from, due_at, expires_at, send_by, event, reason, rule, detail, settles, counts, address, changed, is_new, row_count, place"}}
select c.message_id, c.segment, p.segment_version, c.step, c.variant, c.factor, c.user_id, c.item_key, c.class, c.priority, p.channel, p.topic, p.template, p.template_version,
  c.occurred_at, c.counts_from, c.due_at, c.expires_at,
  case
    when o.event <> 'claimed' then {{null_timestamp}}
    when c.class = 'marketing' and h.shuts_at < c.expires_at then h.shuts_at
    else c.expires_at
  end as send_by,
  o.event, a.reason, a.rule, a.detail, o.settles, o.counts, case when o.counts = 1 then c.address end as address,
  case when c.last_event = o.event and c.last_reason = a.reason and c.last_rule = a.rule then 0 else 1 end as changed,
  case
    when o.event in ('settled', 'denied') or c.counts_from <> c.occurred_at or (c.last_event in ('waiting', 'released') and c.last_reason <> 'surge') then 0
    else 1
  end as is_new, 1 as row_count, a.place + (select count(*) from {{the "beginnings"}}) as place
from {{the "answers"}} a
join {{the "candidates"}} c on c.message_id = a.message_id
join {{the "plan"}} p on p.segment = c.segment and p.step = c.step and p.variant = c.variant
join {{the "outcomes"}} o on o.reason = a.reason
join {{the "hours"}} h on h.zone = c.zone
union all
select b.message_id, b.segment, g.version, b.step, b.variant, b.factor, b.user_id, b.item_key, g.class, g.priority, b.channel, g.topic, b.template, b.template_version,
  b.occurred_at, b.counts_from, b.due_at, b.expires_at, {{null_timestamp}}, b.event, b.reason, '', b.detail, b.settles, 0, {{null_text}}, 1, 0, 1,
  row_number() over (order by b.message_id)
from {{the "beginnings"}} b
join {{the "segments"}} g on g.segment = b.segment
union all
select {{message_id (salt) "a" "a.occurred_at" "g.repeat_kind" trial}}, a.segment, g.version, a.step, '', {{null_text}}, a.user_id, a.item_key,
  g.class, g.priority, a.channel, g.topic, {{null_text}}, {{null_text}}, a.occurred_at, a.counts_from, a.due_at, a.expires_at, {{null_timestamp}},
  case when a.newer is null then 'left' else 'settled' end, case when a.newer is null then 'left' else 'superseded' end,
  case when a.newer is not null then 'newer_behaviour' when a.event = 'released' then 'released' else a.reason end,
  {{json "waited_for" "a.reason" "waited_seconds" (seconds_between "a.decided_at" as_of) "newer_behaviour" (iso "a.newer")}},
  case when a.newer is null then 0 else 1 end, 0, {{null_text}}, 1, 0, 1,
  (select count(*) from {{the "candidates"}}) + (select count(*) from {{the "beginnings"}}) + row_number() over (order by a.segment, a.step, a.user_id, a.item_key, a.occurred_at)
from {{the "gone"}} a
join {{the "segments"}} g on g.segment = a.segment
union all
select {{null_text}}, t.segment, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, 0, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}},
  {{null_timestamp}}, {{null_timestamp}}, {{null_timestamp}}, {{null_timestamp}}, {{null_timestamp}}, 'none', t.reason, '', {{null_text}}, 0, 0, {{null_text}}, 0, 0, t.row_count, 0
from {{the "silent"}} t
{{/table}}
