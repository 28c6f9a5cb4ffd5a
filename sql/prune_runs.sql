-- Runs before a time, but for the last of live runs and of trials, those that a segment's last run or a message in doubt names, and
-- whatever was taken back.
select r.run_id
from (
  select u.*, row_number() over (partition by coalesce(u.trial, false) order by u.as_of desc, u.fence desc) as place
  from {{ledger "runs"}} u
) r
left join (
  select distinct run_id from (
  select s.run_id from {{ledger "segment_runs"}} s where s.run_id || ' ' || s.segment not in (
    {{going_segment_runs}}
  )
  union all
  select l.run_id from {{ledger "sent_ledger"}} l where l.event in ('sending', 'in_doubt') and l.seq not in (
    select seq from (
      {{going_rows}}
    ) going
  )
) named
) k on k.run_id = r.run_id
where r.as_of < {{before}} and r.place > 1 and r.status not in ('running', 'forgotten', 'forget') and k.run_id is null
