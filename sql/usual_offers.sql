-- What segments offered in their successful runs, those that a surge held back left out: the median of those that offered anything,
-- as data may be loaded once a day and asked for every ten minutes, and how many runs there were.
with known as (
  select segment, offered, rank() over (partition by segment order by as_of desc) as age
  from {{ledger "segment_runs"}}
  where succeeded = 1 and offered is not null and segment in {{segments}} and {{heeded}} and {{since}}
    and run_id not in (select run_id from {{ledger "runs"}} where status = 'forgotten')
),
ranked as (
  select segment, offered, row_number() over (partition by segment order by offered desc) as place,
    count(*) over (partition by segment) as runs, count(case when offered > 0 then 1 end) over (partition by segment) as offering
  from known
  where {{among}}
)
select segment, offered, runs from ranked where place * 2 in (offering + 1, offering + 2)
