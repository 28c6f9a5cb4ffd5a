-- Reads: the facts and the line.
-- Gives: answers: of each candidate the first reason that bites, and what follows from it.

{{#table "reasoned"}}
select f.*, case when s.message_id is not null then '' end as superseded, o.outranked, o.winner, o.run_limit, o.most,
  case
    when f.class <> 'marketing' then null
    when f.standing <> 'fresh' then f.held_out_by
    when {{bucket salt "'holdout'" "f.user_id"}} < {{project_holdout_below}} then 'project'
    when {{bucket salt "'holdout'" "f.user_id" "f.segment"}} < f.holdout_below then 'segment'
  end as held_out
from {{the "facts"}} f
left join {{the "superseded"}} s on s.message_id = f.message_id
left join {{the "stopped"}} o on o.message_id = f.message_id
{{/table}}

{{#table "decided" kept="message_id, reason"}}
select r.*,
  case
    when baseline is not null then 'baseline'
    when invalid is not null then 'invalid'
    -- or a flood would count as offered before, and go, once the audience works again
    when audience_failed is not null and paused = 'surge' then 'surge'
    when audience_failed is not null then 'audience_failed'
    when converted is not null then 'converted'
    when excluded is not null then 'excluded'
    when no_consent is not null then 'no_consent'
    when suppressed is not null then 'suppressed'
    when opted_out is not null then 'opted_out'
    when expired is not null then 'expired'
    when superseded is not null then 'superseded'
    when repeat_gap is not null then 'repeat_gap'
    when paused = 'surge' then 'surge'
    when paused is not null then 'paused'
    when stale_data is not null then 'stale_data'
    when step_gap is not null then 'step_gap'
    when quiet_hours is not null then 'quiet_hours'
    when cap is not null then 'cap'
    when spacing is not null then 'spacing'
    when outranked is not null then 'outranked'
    when run_limit is not null then 'run_limit'
    when held_out is not null then 'held_out'
    else 'claimed'
  end as reason,
  coalesce(baseline, invalid, case when audience_failed is not null and paused = 'surge' then '' else audience_failed end,
    converted, excluded, no_consent, suppressed, opted_out, expired, superseded, repeat_gap, case when paused = 'surge' then '' else paused end, stale_data,
    step_gap, quiet_hours, cap, spacing, outranked, run_limit, held_out, '') as rule
from {{the "reasoned"}} r
{{/table}}

{{#table "answers"}}
select d.*, o.event, o.settles, o.counts
from {{the "decided"}} d
join {{the "outcomes"}} o on o.reason = d.reason
{{/table}}
