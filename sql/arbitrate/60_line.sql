-- Reads: the candidates that no reason asked of each alone stops.
-- Gives: line, in order for each user; and who of it is first for its address, its segment and the run.

{{#table "line" kept="message_id, user_id, address, segment"}}
-- marketing alone: transactional messages pass it by
select c.message_id, c.user_id, c.address, c.segment, c.priority, c.expires_at,
  row_number() over (partition by c.user_id order by c.priority desc, c.expires_at, c.message_id) as place,
  first_value(c.message_id) over (partition by c.user_id order by c.priority desc, c.expires_at, c.message_id) as winner
from {{the "candidates"}} c
where c.class = 'marketing'
  and not exists (select 1 from {{the "bites"}} b where b.message_id = c.message_id)
  and not exists (select 1 from {{the "superseded"}} s where s.message_id = c.message_id)
{{/table}}

{{#table "address_line"}}
select l.message_id, l.segment, l.priority, l.expires_at,
  row_number() over (partition by address order by priority desc, expires_at, message_id) as address_place,
  first_value(message_id) over (partition by address order by priority desc, expires_at, message_id) as address_winner
from {{the "line"}} l
where place = 1
{{/table}}

{{#table "segment_line"}}
select l.message_id, l.priority, l.expires_at, g.max_per_run,
  {{#if segment_limits}}row_number() over (partition by l.segment order by l.priority desc, l.expires_at, l.message_id){{else}}1{{/if}} as segment_place
from {{the "address_line"}} l
join {{the "segments"}} g on g.segment = l.segment
where l.address_place = 1
{{/table}}

{{#table "project_line"}}
select l.message_id, row_number() over (order by priority desc, expires_at, message_id) as project_place
from {{the "segment_line"}} l
where (max_per_run is null or segment_place <= max_per_run) and (select count(*) from {{the "segment_line"}}) > {{max_per_run}}
{{/table}}
