-- Reads: what the project says, as tables of constants.
-- Gives: segments, plan, offsets, first_offsets, needs, audience_use, caps, zones, outcomes.

{{#table "segments" kept="segment"}}
{{rows segments}}
{{/table}}

{{#table "steps"}}
{{rows steps}}
{{/table}}

{{#table "plan" kept="segment, step"}}
-- every version of every step, with what its segment says
select s.segment, s.step, s.variant, s.after_seconds, s.within_seconds, s.channel, s.channel_paused, s.address_kind, s.template, s.template_version,
  s.from_bucket, s.to_bucket, s.siblings, s.factor, s.active_since,
  g.version as segment_version, g.class, g.priority, g.topic, g.goal, g.failed_audience, g.repeat_kind, g.repeat_seconds, g.activated_at, g.backfill,
  g.paused_by, g.surge_offered, g.surge_limit, g.loaded_at, g.too_old, g.max_per_run, g.holdout_below, g.look_back_seconds,
  {{plus_seconds as_of "-s.after_seconds"}} as due_until -- a step counted from no later than that is due
from {{the "steps"}} s
join {{the "segments"}} g on g.segment = s.segment
{{/table}}

{{#table "offsets"}}
-- when each step is due at the earliest: a behaviour no later than that has it due
select segment, step, min(factor) as factor, max(due_until) as due_until, backfill
from {{the "plan"}}
group by segment, step, backfill
{{/table}}

{{#table "first_offsets"}}
-- when the first step of a fresh journey comes; by bucket where variants of one factor differ in that
{{rows first_offsets}}
{{/table}}

{{#table "needs"}}
-- which of a row's problems make a step's message impossible
{{rows needs}}
{{/table}}

{{#table "audience_use"}}
-- exclusions and requirements, in the order they are asked
{{rows audience_use}}
{{/table}}

{{#table "caps"}}
-- and the spacing, a cap of one by another name, at the end of the line
select c.*, {{plus_seconds as_of "-c.window_seconds"}} as since
from (
  {{rows caps}}
) c
{{/table}}

{{#table "zones"}}
-- those that exist; for all others the project's hours count
{{rows zones}}
{{/table}}

{{#table "outcomes"}}
-- what follows from each reason
{{rows outcomes}}
{{/table}}
