-- Reads: what is remembered, and who has reached a goal.
-- Gives: memory, conversions, ended, journey_steps: which journeys run, and which of them their goal ends.

{{#table "standing_claims"}}
-- claims and hold-outs that were not released; failed ones stand but count for nothing
select segment, step, user_id, item_key, occurred_at as anchor, run_id, min(decided_at) as decided_at, min(due_at) as due_at, min(counts_from) as counts_from,
  max(variant) as variant, max(case when event = 'held_out' then rule end) as held_out_by, sum(counts) as counts
from {{the "history"}}
where event in ('claimed', 'held_out', 'failed', 'released')
group by segment, step, user_id, item_key, occurred_at, run_id
having sum(settles) > 0
{{/table}}

{{#table "journeys"}}
-- a journey's claims come in the order of their due times: an earlier step is superseded by then
select segment, user_id, item_key, anchor,
  min(counts_from) as counts_from,
  max(decided_at) as last_claim_at,
  max(due_at) as last_due_at,
  min(case when counts > 0 then decided_at end) as first_counting_at,
  max(case when place = 1 then variant end) as variant,
  max(case when place = 1 then held_out_by end) as held_out_by
from (
  select s.*, row_number() over (partition by segment, user_id, item_key, anchor order by decided_at, due_at) as place
  from {{the "standing_claims"}} s
) c
group by segment, user_id, item_key, anchor
{{/table}}

{{#table "last_journeys"}}
select j.*, n.last_counting_at
from {{the "journeys"}} j
join (
  select segment, user_id, item_key, max(anchor) as anchor, max(first_counting_at) as last_counting_at
  from {{the "journeys"}}
  group by segment, user_id, item_key
) n on n.segment = j.segment and n.user_id = j.user_id and n.item_key = j.item_key and n.anchor = j.anchor
{{/table}}

{{#table "conversions"}}
select segment, user_id, item_key, max(decided_at) as converted_at
from {{the "history"}}
where event = 'settled' and reason = 'converted'
group by segment, user_id, item_key
{{/table}}

{{#table "journey_steps"}}
select j.segment, j.user_id, j.item_key, j.anchor, j.counts_from, s.step, s.variant, s.channel, s.template, s.template_version,
  {{plus_seconds "j.counts_from" "s.after_seconds"}} as due_at,
  {{plus_seconds "j.counts_from" "s.after_seconds + s.within_seconds"}} as expires_at
from {{the "last_journeys"}} j
join {{the "segments"}} g on g.segment = j.segment
join {{the "plan"}} s on s.segment = j.segment
left join {{the "settled"}} d on d.segment = j.segment and d.step = s.step and d.user_id = j.user_id and d.item_key = j.item_key and d.occurred_at = j.anchor
where d.step is null
  and {{plus_seconds "j.counts_from" "g.look_back_seconds"}} > {{as_of}}
  and {{> drawn_variant first="j.variant" drawn=(bucket salt "'variant'" "j.user_id" "j.segment")}}
{{/table}}

{{#table "running"}}
select segment, user_id, item_key, anchor
from {{the "journey_steps"}}
where expires_at > {{as_of}}
group by segment, user_id, item_key, anchor
{{/table}}

{{#table "ended"}}
-- the goal reached after the anchor
select j.segment, j.user_id, j.item_key, j.anchor, m.reached_at
from {{the "running"}} j
join {{the "segments"}} g on g.segment = j.segment
join {{work "audience_members"}} m on m.audience = g.goal and m.user_id = j.user_id
where m.timeless = 1 or m.reached_at > j.anchor
{{/table}}

{{#table "memory"}}
-- each segment, user and key with its last journey
select j.*, case when n.anchor is null then 0 else 1 end as runs, case when e.anchor is null then 0 else 1 end as ends
from {{the "last_journeys"}} j
left join {{the "running"}} n on n.segment = j.segment and n.user_id = j.user_id and n.item_key = j.item_key
left join {{the "ended"}} e on e.segment = j.segment and e.user_id = j.user_id and e.item_key = j.item_key
{{/table}}
