-- Runs of segments before a time, but for each segment's last in which its query worked, of live runs and of trials: it says when
-- the segment began. Its last ones that a surge is held against stay too, runs
-- of one time together, and what somebody said of a segment.
select s.run_id || ' ' || s.segment as part
from (
  select r.run_id, r.segment, r.as_of, r.shape, row_number() over (
    partition by r.segment, coalesce(r.trial, false) order by case when r.succeeded = 1 and u.run_id is null then 0 else 1 end, r.as_of desc, r.run_id desc
  ) as place,
    rank() over (
      partition by r.segment, coalesce(r.trial, false) order by case when r.succeeded = 1 and u.run_id is null and r.offered is not null then 0 else 1 end, r.as_of desc
    ) as known
  from {{ledger "segment_runs"}} r
  left join {{ledger "runs"}} u on u.run_id = r.run_id and u.status = 'forgotten'
) s
where s.as_of < {{before}} and s.place > 1 and s.known > {{least_runs}} and s.shape <> '{{forgotten}}'
