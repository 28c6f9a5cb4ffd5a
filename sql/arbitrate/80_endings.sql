-- Reads: journeys that end, what waited and is no candidate any more, and rows that make none.
-- Gives: conversion_rows, gone, silent.

{{#table "conversion_rows"}}
-- every unsettled step of a journey whose goal was reached
select s.*, e.reached_at
from {{the "journey_steps"}} s
join {{the "ended"}} e on e.segment = s.segment and e.user_id = s.user_id and e.item_key = s.item_key and e.anchor = s.anchor
{{/table}}

{{#table "gone"}}
-- waited, and is no candidate any more although its segment's query worked
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
select segment, reason, count(*) as row_count
from (
  select t.segment,
    case
      when t.ends = 1 then 'converted'
      when t.has_newer_behaviour = 1 then 'journey_running'
      when t.standing in ('running', 'same_occurrence') then 'same_occurrence'
      when h.user_id is not null then 'repeat_never'
      else 'not_due'
    end as reason
  from {{the "standings"}} t
  left join {{the "had_before"}} h on h.segment = t.segment and h.user_id = t.user_id and h.item_key = t.item_key
  left join (select distinct segment, user_id, item_key from {{the "candidates"}}) c on c.segment = t.segment and c.user_id = t.user_id and c.item_key = t.item_key
  where c.user_id is null
  union all
  select r.segment, case when {{plus_seconds "r.occurred_at" "f.after_seconds"}} <= {{as_of}} then 'same_occurrence' else 'not_due' end
  from {{work "segment_rows"}} r
  join (select segment, min(after_seconds) as after_seconds from {{the "offsets"}} group by segment) f on f.segment = r.segment
  where r.dropped is null
    and not exists (select 1 from {{the "open_rows"}} o where o.segment = r.segment and o.user_id = r.user_id and o.item_key = r.item_key)
) x
group by segment, reason
{{/table}}
