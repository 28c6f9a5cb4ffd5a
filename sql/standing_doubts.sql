-- How many messages each run left in doubt that nobody has settled, by channel. A message that was claimed again has been released before.
with doubted as (
  select run_id, channel, message_id, min(recorded_at) as since
  from {{ledger "sent_ledger"}}
  where event = 'in_doubt' and {{from}} and {{of_kind}}
  group by run_id, channel, message_id
),
ended as (
  select distinct l.run_id, l.message_id
  from {{ledger "sent_ledger"}} l
  join doubted d on d.run_id = l.run_id and d.message_id = l.message_id
  where l.event in ('accepted', 'failed', 'released', 'voided') and {{from}}
),
standing as (
  select d.run_id, d.channel, count(*) as messages, min(d.since) as since
  from doubted d
  left join ended e on e.run_id = d.run_id and e.message_id = d.message_id
  where e.message_id is null
  group by d.run_id, d.channel
)
select run_id, channel, messages, {{iso "since"}} as since_text
from standing
order by since_text, run_id, channel
