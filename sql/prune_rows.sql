-- Rows of the ledger that nothing asks for any more, decided before a time: answers that waited for another, and steps of a
-- message whose end is known. Claims and hold-outs stay, with their outcomes: they settle, and caps, `repeat` and links ask for them.
with ended as (
  select distinct message_id, run_id
  from {{ledger "sent_ledger"}}
  where event in ('accepted', 'failed', 'released', 'voided') and decided_at < {{before}}
)
select l.seq, l.event
from {{ledger "sent_ledger"}} l
left join ended e on e.message_id = l.message_id and e.run_id = l.run_id
where l.decided_at < {{before}} and (
  l.event in ('waiting', 'denied', 'settled', 'left', 'backfilled')
  or (l.event = 'voided' and l.counts = 0)
  or (l.event in ('sending', 'in_doubt') and e.message_id is not null)
)
