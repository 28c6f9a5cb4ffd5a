-- The story of one user, or of one message: the newest events of the ledger in words, oldest first; a winner that a reason names by its message id is named by segment and step.
with story as (
  select w.*, row_number() over (order by w.seq desc) as newest
  from {{ledger "why"}} w
  where w.{{of}} = {{value}} and {{kind}} and ({{segment}} is null or w.segment = {{segment}})
),
counted as (
  select count(*) as events from story
)
select s.user_id, s.segment, s.step, s.item_key, {{iso "s.occurred_at"}} as occurred_at, {{iso "s.due_at"}} as due_at, {{iso "s.expires_at"}} as expires_at,
  {{iso "s.decided_at"}} as decided_at, {{iso "s.recorded_at"}} as recorded_at, s.event, s.reason, s.rule, s.channel, s.message_id, s.run_id, s.detail, s.explanation,
  l.variant, l.template, l.template_version, l.provider_id, counted.events
from story s
cross join counted
join {{ledger "sent_ledger"}} l on l.seq = s.seq
where s.newest <= {{most}}
order by s.seq
