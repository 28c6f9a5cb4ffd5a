-- The marketing messages that caps and spacing count for one user in a run of this kind, oldest first; rows of one message add up.
select max(l.channel) as channel, max(l.topic) as topic, {{iso "max(l.decided_at)"}} as decided_at
from {{ledger "sent_ledger"}} l
where l.user_id = {{canonical_user user_id}} and l.class = 'marketing' and l.counts <> 0 and {{kind}}
group by l.message_id, l.run_id
having sum(l.counts) > 0
order by max(l.decided_at)
