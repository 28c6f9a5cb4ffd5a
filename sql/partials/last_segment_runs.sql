-- The last run of each segment in which its query worked. What somebody said of a segment after its run stands, though the run was taken back.
select 'segment' as fact, segment as name,
  {{json "run_id" "run_id" "as_of" "as_of_text" "shape" "shape" "activated_at" "activated_text" "steps" "steps" "decisions" "decisions"}} as content
from (
  select segment, s.run_id, shape, steps, decisions, {{iso_text "s.as_of"}} as as_of_text, {{iso_text "activated_at"}} as activated_text,
    row_number() over (partition by segment order by s.as_of desc, fence desc) as newest
  from {{ledger "segment_runs"}} s
  join {{ledger "runs"}} r on r.run_id = s.run_id
  where succeeded = 1 and (status <> 'forgotten' or shape = '{{forgotten}}') and {{which}} and {{heeded}} and {{since}}
) latest
where newest = 1
