chosen as (          -- claims that were {{state}} once
  select message_id, run_id, min(recorded_at) as since, max(reason) as why, max(detail) as told
  from {{ledger "sent_ledger"}}
  where event = '{{state}}'
  group by message_id, run_id
),
claims as (          -- of a message that was claimed again since, the last claim says where it stands
  select l.*, row_number() over (partition by message_id order by seq desc) as newest
  from {{ledger "sent_ledger"}} l
  where event = 'claimed' and message_id in (select message_id from chosen)
),
ended as (
  select distinct l.message_id, l.run_id
  from {{ledger "sent_ledger"}} l
  join chosen c on c.message_id = l.message_id and c.run_id = l.run_id
  where l.event in ({{ends}})
),
open_claims as (     -- and still are
  select e.*, c.since, c.why, c.told
  from claims e
  join chosen c on c.message_id = e.message_id and c.run_id = e.run_id
  left join ended n on n.message_id = e.message_id and n.run_id = e.run_id
  where e.newest = 1 and n.message_id is null and {{conditions}}
)
