-- Ends the pauses that the breakers of a run set: their end was reckoned by its clock.
insert into {{ledger "pauses"}} (scope, name, kind, paused, until, note, recorded_at, trial, seq)
with latest as (
  select p.*, row_number() over (partition by p.scope, p.name order by p.seq desc) as newest
  from {{ledger "pauses"}} p
  where p.kind = 'breaker' and coalesce(p.trial, false) = {{trial}}
)
select p.scope, p.name, p.kind, false, {{null_timestamp}}, 'its run was taken back', {{at}}, {{trial}}, c.fence
from latest p
cross join {{ledger "leases"}} c
join {{ledger "runs"}} r on r.run_id = {{run_id}} and p.recorded_at between r.started_at and r.finished_at
where c.name = 'pauses' and p.newest = 1 and p.paused
