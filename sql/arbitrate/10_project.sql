-- Reads: what the project says, as tables of constants.
-- Gives: segments, steps, first_offsets, plan, offsets, needs, audience_use, caps, zones, outcomes.

{{#table "segments"}}
{{rows segments}}
{{/table}}

{{#table "steps" kept="segment, step"}}
{{rows steps}}
{{/table}}

{{#table "first_offsets"}}
-- when the first step of a fresh journey comes; by bucket where variants differ in that
{{rows first_offsets}}
{{/table}}

{{#table "plan"}}
-- every version of every step, with what its segment says
select s.*, f.first_after_seconds, f.is_whole, f.from_bucket as first_from_bucket, f.to_bucket as first_to_bucket,
  g.version as segment_version, g.class, g.priority, g.topic, g.goal, g.failed_audience, g.repeat_kind, g.repeat_seconds, g.activated_at, g.backfill,
  g.paused_by, g.surge_offered, g.surge_limit, g.loaded_at, g.too_old, g.max_per_run, g.holdout_below, g.look_back_seconds
from {{the "steps"}} s
join {{the "segments"}} g on g.segment = s.segment
join {{the "first_offsets"}} f on f.segment = s.segment
{{/table}}

{{#table "offsets"}}
-- when each step is due at the earliest
select s.segment, s.step, min(s.after_seconds) as after_seconds, g.backfill
from {{the "steps"}} s
join {{the "segments"}} g on g.segment = s.segment
group by s.segment, s.step, g.backfill
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
{{rows caps}}
{{/table}}

{{#table "zones"}}
-- those that exist; for all others the project's hours count
{{rows zones}}
{{/table}}

{{#table "outcomes"}}
-- what follows from each reason
{{rows outcomes}}
{{/table}}
