-- Reads: the facts.
-- Gives: superseded, and stopped: by those who go first.

{{#table "later_steps"}}
-- of each journey that could have two: the latest step claimed, and the latest that could go now
select segment, user_id, item_key, max(case when standing <> 'fresh' then last_due_at end) as claimed_due_at,
  max(case when coalesce(baseline, invalid, audience_failed, converted, excluded, no_consent, suppressed, opted_out, expired, paused) is null then due_at end) as open_due_at
from {{the "facts"}}
group by segment, user_id, item_key
having count(*) > 1 or max(case when standing <> 'fresh' then 1 else 0 end) = 1
{{/table}}

{{#table "superseded"}}
select f.message_id
from {{the "facts"}} f
join {{the "later_steps"}} l on l.segment = f.segment and l.user_id = f.user_id and l.item_key = f.item_key
where l.open_due_at > f.due_at or l.claimed_due_at > f.due_at
{{/table}}

{{#table "user_line" kept="message_id, user_id, address, segment, place"}}
-- who is left after rules 1 to 16, in the order of the line: first per user, then per address
select f.message_id, f.user_id, f.address, f.segment, f.priority, f.expires_at, f.max_per_run,
  row_number() over (partition by f.user_id order by f.priority desc, f.expires_at, f.message_id) as place,
  first_value(f.message_id) over (partition by f.user_id order by f.priority desc, f.expires_at, f.message_id) as winner
from {{the "facts"}} f
left join {{the "superseded"}} s on s.message_id = f.message_id
where f.class = 'marketing' and s.message_id is null
  and coalesce(baseline, invalid, audience_failed, converted, excluded, no_consent, suppressed, opted_out, expired, repeat_gap, paused, stale_data,
    step_gap, quiet_hours, cap, spacing) is null
{{/table}}

{{#table "address_line"}}
select l.*,
  row_number() over (partition by address order by priority desc, expires_at, message_id) as address_place,
  first_value(message_id) over (partition by address order by priority desc, expires_at, message_id) as address_winner
from {{the "user_line"}} l
where place = 1
{{/table}}

{{#table "segment_line"}}
select l.*, row_number() over (partition by segment order by priority desc, expires_at, message_id) as segment_place
from {{the "address_line"}} l
where address_place = 1
{{/table}}

{{#table "project_line"}}
select l.*, row_number() over (order by priority desc, expires_at, message_id) as project_place
from {{the "segment_line"}} l
where (max_per_run is null or segment_place <= max_per_run) and (select count(*) from {{the "segment_line"}}) > {{max_per_run}}
{{/table}}

{{#table "stopped"}}
-- by those who go first
select message_id, 'user' as outranked, winner, {{null_text}} as run_limit, {{null_bigint}} as most from {{the "user_line"}} where place > 1
union all
select message_id, 'address', address_winner, {{null_text}}, {{null_bigint}} from {{the "address_line"}} where address_place > 1
union all
select message_id, {{null_text}}, {{null_text}}, 'segment', max_per_run from {{the "segment_line"}} where segment_place > max_per_run
union all
select message_id, {{null_text}}, {{null_text}}, 'project', {{max_per_run}} from {{the "project_line"}} where project_place > {{max_per_run}}
{{/table}}
