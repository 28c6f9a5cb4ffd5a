-- Reads: journeys that end, what waited and is not a candidate any more, and rows that make none.
-- Gives: beginnings, gone, silent.

{{#table "beginnings"}}
-- what is written before the answers: every unsettled step of a journey whose goal was reached, and behaviours that a backfill takes up
select {{message_id (salt) "s" "s.anchor" "g.repeat_kind" trial}} as message_id, s.segment, s.step, s.variant, s.factor, s.user_id, s.item_key, s.channel, s.template, s.template_version,
  s.anchor as occurred_at, s.counts_from, s.due_at, s.expires_at, 'settled' as event, 'converted' as reason,
  {{json "goal" "g.goal" "reached_at" (iso "e.reached_at")}} as detail, 1 as settles
from {{the "journey_steps"}} s
join {{the "ended"}} e on e.segment = s.segment and e.user_id = s.user_id and e.item_key = s.item_key and e.anchor = s.anchor
join {{the "segments"}} g on g.segment = s.segment
{{#if backfills}}
union all
select {{message_id (salt) "d" "d.occurred_at" "d.repeat_kind" trial}}, d.segment, d.step, d.variant, d.factor, d.user_id, d.item_key, d.channel, d.template, d.template_version,
  d.occurred_at, {{as_of}}, d.due_at, d.expires_at, 'backfilled', 'backfilled', {{json "counts_from" (iso as_of)}}, 0
from {{the "dated"}} d
where d.is_baseline = 1 and d.backfill and d.after_seconds = d.first_after_seconds
{{/if}}
{{/table}}

{{#table "gone"}}
-- waited, and is not a candidate any more although its segment's query worked
select a.*, r.newer
from {{the "last_answers"}} a
join {{the "segments"}} g on g.segment = a.segment and g.queried
left join {{the "candidates"}} c on c.segment = a.segment and c.step = a.step and c.user_id = a.user_id and c.item_key = a.item_key and c.occurred_at = a.occurred_at
left join {{the "ended"}} e on e.segment = a.segment and e.user_id = a.user_id and e.item_key = a.item_key and e.anchor = a.occurred_at
left join (
  select segment, user_id, item_key, row_occurred_at as newer from {{the "standings"}} where standing <> 'running'
) r on r.segment = a.segment and r.user_id = a.user_id and r.item_key = a.item_key and r.newer > a.occurred_at
where a.event in ('waiting', 'released') and c.message_id is null and e.anchor is null
{{/table}}

{{#table "silent"}}
-- returned, and nothing of it is due and open: counted, not recorded
select segment, reason, sum(n) as row_count
from (
  select t.segment,
    case
      when t.ends = 1 then 'converted'
      when t.has_newer_behaviour = 1 then 'journey_running'
      when t.standing in ('running', 'same_occurrence') then 'same_occurrence'
      when h.user_id is not null then 'repeat_never'
      else 'not_due'
    end as reason, 1 as n
  from {{the "standings"}} t
  left join {{the "had_before"}} h on h.segment = t.segment and h.user_id = t.user_id and h.item_key = t.item_key
  where not exists (select 1 from {{the "candidates"}} c where c.segment = t.segment and c.user_id = t.user_id and c.item_key = t.item_key)
  union all
  -- all rows but those that are open
  select r.segment, case when r.occurred_at <= f.due_until then 'same_occurrence' else 'not_due' end, r.n
  from (
    select segment, occurred_at, 1 as n from {{work "segment_rows"}} where dropped is null
    union all
    select segment, row_occurred_at, -1 from {{the "standings"}}
  ) r
  join (select segment, max(due_until) as due_until from {{the "offsets"}} group by segment) f on f.segment = r.segment
) x
group by segment, reason
having sum(n) > 0
{{/table}}
