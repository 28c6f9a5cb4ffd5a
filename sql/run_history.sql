-- What earlier runs say about the next one: rows of fact, name and content.
select 'version' as fact, {{null_text}} as name, content from {{ledger "meta"}} where name = 'schema_version'
union all
select 'last_as_of', {{null_text}}, {{iso_text "max(as_of)"}} from {{ledger "runs"}} where status not in ('forgotten', 'forget') and {{heeded}}
union all
select 'succeeded', {{null_text}}, {{iso_text "max(finished_at)"}} from {{ledger "runs"}} where status = 'success' and {{heeded}}
union all
select 'decided', {{null_text}}, {{iso_text "max(finished_at)"}} from {{ledger "runs"}}
where status <> 'forgotten' and {{heeded}} and run_id in (select run_id from {{ledger "segment_runs"}})
union all
select 'segment', segment, {{json "asked" "asked" "succeeded" "succeeded" "decisions" "decisions" "status" "status" "released" "released"}}
from (
  select segment, succeeded, decisions, status, released, {{iso_text "s.as_of"}} as asked,
    row_number() over (partition by segment order by s.as_of desc, fence desc) as newest
  from {{ledger "segment_runs"}} s
  join {{ledger "runs"}} r on r.run_id = s.run_id
  where status <> 'forgotten' and {{heeded_segments}}
) latest
where newest = 1
