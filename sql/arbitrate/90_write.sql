-- Reads: answers and endings.
-- Gives: the rows of the work table of decisions, in the order in which claims are posted.

{{#table "all_rows"}}
select 1 as part, message_id, segment, segment_version, step, variant, user_id, item_key, class, priority, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at,
  case when event = 'claimed' and class = 'marketing' and shuts_at < expires_at then shuts_at when event = 'claimed' then expires_at end as send_by,
  event, reason, rule,
  case reason
    {{> details}}
  end as detail,
  settles, counts, case when counts = 1 then address end as address,
  case when last_event = event and last_reason = reason and last_rule = rule then 0 else 1 end as changed,
  case
    when event in ('settled', 'denied') or counts_from <> occurred_at or (last_event in ('waiting', 'released') and last_reason <> 'surge') then 0
    else 1
  end as is_new, 1 as row_count
from {{the "answers"}}
union all
select 0, {{message_id salt "c" "c.anchor" "g.repeat_kind" trial}}, c.segment, g.version, c.step, c.variant, c.user_id, c.item_key,
  g.class, g.priority, c.channel, g.topic, c.template, c.template_version, c.anchor, c.counts_from, c.due_at, c.expires_at, {{null_timestamp}},
  'settled', 'converted', '', {{json "goal" "g.goal" "reached_at" (iso "c.reached_at")}}, 1, 0, {{null_text}}, 1, 0, 1
from {{the "conversion_rows"}} c
join {{the "segments"}} g on g.segment = c.segment
union all
select 0, {{message_id salt "d" "d.occurred_at" "g.repeat_kind" trial}}, d.segment, g.version, d.step, d.variant, d.user_id, d.item_key,
  g.class, g.priority, d.channel, g.topic, d.template, d.template_version, d.occurred_at, {{as_of}}, d.due_at, d.expires_at, {{null_timestamp}},
  'backfilled', 'backfilled', '', {{json "counts_from" (iso as_of)}}, 0, 0, {{null_text}}, 1, 0, 1
from {{the "dated"}} d
join {{the "segments"}} g on g.segment = d.segment
where d.is_baseline = 1 and d.backfill and d.after_seconds = d.first_after_seconds
union all
select 2, {{message_id salt "a" "a.occurred_at" "g.repeat_kind" trial}}, a.segment, g.version, a.step, '', a.user_id, a.item_key,
  g.class, g.priority, a.channel, g.topic, {{null_text}}, {{null_text}}, a.occurred_at, a.counts_from, a.due_at, a.expires_at, {{null_timestamp}},
  case when a.newer is null then 'left' else 'settled' end, case when a.newer is null then 'left' else 'superseded' end,
  case when a.newer is not null then 'newer_behaviour' when a.event = 'released' then 'released' else a.reason end,
  {{json "waited_for" "a.reason" "waited_seconds" (seconds_between "a.decided_at" as_of) "newer_behaviour" (iso "a.newer")}},
  case when a.newer is null then 0 else 1 end, 0, {{null_text}}, 1, 0, 1
from {{the "gone"}} a
join {{the "segments"}} g on g.segment = a.segment
union all
select 3, {{null_text}}, t.segment, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, 0, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}},
  {{null_timestamp}}, {{null_timestamp}}, {{null_timestamp}}, {{null_timestamp}}, {{null_timestamp}}, 'none', t.reason, '', {{null_text}}, 0, 0, {{null_text}}, 0, 0, t.row_count
from {{the "silent"}} t
{{/table}}

{{#table "decisions" into="message_id, segment, segment_version, step, variant, user_id, item_key, class, priority, channel, topic, template, template_version, occurred_at, counts_from, due_at, expires_at, send_by, event, reason, rule, detail, settles, counts, address, changed, is_new, row_count, place"}}
select message_id, segment, segment_version, step, variant, user_id, item_key, class, priority, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at, send_by, event, reason, rule, detail, settles, counts, address, changed, is_new, row_count,
  row_number() over (order by part, case when class = 'transactional' then 0 else 1 end, priority desc, expires_at, message_id) as place
from {{the "all_rows"}}
{{/table}}
