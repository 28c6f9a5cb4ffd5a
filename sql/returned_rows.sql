-- The segments whose last successful run returned a row, of those since a time (last), and those that returned one lately (recently).
with standing as (
  select segment, returned, succeeded, as_of, run_id
  from {{ledger "segment_runs"}}
  where {{heeded}} and as_of > {{from}} and run_id not in (select run_id from {{ledger "runs"}} where status = 'forgotten')
),
latest as (
  select segment, returned, row_number() over (partition by segment order by as_of desc, run_id desc) as newest
  from standing
  where succeeded = 1
)
select 'last' as fact, segment from latest where newest = 1 and returned > 0
union all
select 'recently', segment from standing where returned > 0 and as_of > {{lately}} group by segment
