-- Reads: what is remembered, and who has reached a goal.
-- Gives: memory, conversions, ended, journey_steps: which journeys run, and which of them their goal ends.

{{#table "standing_claims"}}
-- claims and hold-outs that were not released; failed ones stand but count for nothing
select segment, step, user_id, item_key, occurred_at as anchor, run_id, min(decided_at) as decided_at, min(due_at) as due_at, min(counts_from) as counts_from,
  max(variant) as variant, max(factor) as factor, max(case when event = 'held_out' then rule end) as held_out_by, sum(counts) as counts
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
  max(case when place = 1 then held_out_by end) as held_out_by
from (
  select s.*, row_number() over (partition by segment, user_id, item_key, anchor order by decided_at, due_at) as place
  from {{the "standing_claims"}} s
) c
group by segment, user_id, item_key, anchor
{{/table}}

{{#table "kept_variants"}}
-- of each journey's first claim in each factor; a claim from before factors counts in its step's of today
select segment, user_id, item_key, anchor, factor, variant
from (
  select c.*, row_number() over (partition by segment, user_id, item_key, anchor, factor order by decided_at, due_at) as place
  from (
    select c.segment, c.user_id, c.item_key, c.anchor, c.decided_at, c.due_at, c.variant, coalesce(c.factor, o.factor, c.step) as factor
    from {{the "standing_claims"}} c
    left join {{the "offsets"}} o on o.segment = c.segment and o.step = c.step
    where c.variant <> ''
  ) c
) k
where place = 1
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

{{#table "journey_steps" kept="segment, user_id, item_key"}}
select j.segment, j.user_id, j.item_key, j.anchor, j.counts_from, s.step, s.variant, s.factor, s.channel, s.template, s.template_version,
  {{plus_seconds "j.counts_from" "s.after_seconds"}} as due_at,
  {{plus_seconds "j.counts_from" "s.after_seconds + s.within_seconds"}} as expires_at
from {{the "last_journeys"}} j
join {{the "segments"}} g on g.segment = j.segment
join {{the "plan"}} s on s.segment = j.segment
left join {{the "settled"}} d on d.segment = j.segment and d.step = s.step and d.user_id = j.user_id and d.item_key = j.item_key and d.occurred_at = j.anchor
left join {{the "kept_variants"}} k on k.segment = j.segment and k.user_id = j.user_id and k.item_key = j.item_key and k.anchor = j.anchor and k.factor = s.factor
where d.step is null
  and {{plus_seconds "j.counts_from" "g.look_back_seconds"}} > {{as_of}}
  and {{> drawn_variant first="k.variant" drawn=(bucket (salt) "'variant'" "j.user_id" "j.segment" "s.factor")}}
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
