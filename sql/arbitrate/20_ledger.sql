-- Reads: the sent ledger as far back as it can matter, and the rows that segments returned.
-- Gives: answered, open_rows, history, last_answers, behaviours: what is remembered.

{{#table "recent" kept="segment, step, user_id, item_key, occurred_at, event"}}
-- as far back as it can matter to a candidate of these segments
select l.segment, l.step, l.user_id, l.item_key, l.occurred_at, l.counts_from, l.due_at, l.expires_at, l.decided_at,
  l.event, l.reason, l.rule, l.settles, l.counts, l.variant, l.factor, l.channel, l.run_id, l.seq
from {{ledger "sent_ledger"}} l
join {{the "segments"}} s on s.segment = l.segment
where (l.decided_at >= {{history_from}} and l.decided_at >= s.history_from{{#if kept_at}} or l.decided_at in ({{kept_at}}) and l.run_id in ({{kept_by}}){{/if}})
  and l.event not in ('sending', 'accepted', 'in_doubt'){{#if forgotten}} and l.run_id not in ({{forgotten}}){{/if}}
  {{#unless trial}}and not coalesce(l.trial, false){{/unless}}
{{/table}}

{{#table "backfills"}}
select segment, user_id, item_key, occurred_at, max(counts_from) as counts_from, max(seq) as seq
from {{the "recent"}}
where event = 'backfilled'
group by segment, user_id, item_key, occurred_at
{{/table}}

{{#table "about"}}
-- users and keys with a returned row, a waiting answer, or perhaps a goal reached
select segment, user_id, item_key
from (
  select segment, user_id, item_key from {{work "segment_rows"}} where dropped is null
  union all
  {{> recalled past=(the "recent")}}
) x
group by segment, user_id, item_key
{{/table}}

{{#table "told" kept="segment, step, user_id, item_key, occurred_at, event"}}
-- of those alone; a backfilled behaviour forgets what was before
select r.*
from {{the "recent"}} r
join {{the "about"}} a on a.segment = r.segment and a.user_id = r.user_id and a.item_key = r.item_key
left join {{the "backfills"}} b on b.segment = r.segment and b.user_id = r.user_id and b.item_key = r.item_key and b.occurred_at = r.occurred_at
where b.seq is null or r.seq >= b.seq
{{/table}}

{{#table "answered" kept="segment, step, user_id, item_key, occurred_at, settles"}}
-- each step of each behaviour: settled or not, and where its last answer stands
select segment, step, user_id, item_key, occurred_at, sum(settles) as settles, max(case when event <> 'failed' then seq end) as last_seq
from {{the "told"}}
group by segment, step, user_id, item_key, occurred_at
{{/table}}

{{#table "settled"}}
select segment, step, user_id, item_key, occurred_at from {{the "answered"}} where settles > 0
{{/table}}

{{#table "open_rows" kept="segment, user_id, item_key"}}
-- a step is due and not settled, or another behaviour is known: most rows that a query returns again and again are neither
select segment, user_id, item_key
from (
  select r.segment, r.user_id, r.item_key
  from {{work "segment_rows"}} r
  join {{the "offsets"}} s on s.segment = r.segment
  left join {{the "settled"}} x on x.segment = r.segment and x.step = s.step and x.user_id = r.user_id and x.item_key = r.item_key and x.occurred_at = r.occurred_at
  where r.dropped is null
    and (s.backfill or r.occurred_at <= s.due_until)
    and (s.backfill or x.step is null)
  union all
  select r.segment, r.user_id, r.item_key
  from {{the "answered"}} a
  join {{work "segment_rows"}} r on r.segment = a.segment and r.user_id = a.user_id and r.item_key = a.item_key
  where r.dropped is null and r.occurred_at <> a.occurred_at
) x
group by segment, user_id, item_key
{{/table}}

{{#table "concerned"}}
-- as before, but of the rows those that are open alone
select segment, user_id, item_key
from (
  select segment, user_id, item_key from {{the "open_rows"}}
  union all
  {{> recalled past=(the "told")}}
) x
group by segment, user_id, item_key
{{/table}}

{{#table "history" kept="segment, step, user_id, item_key, occurred_at, event"}}
select r.*
from {{the "told"}} r
join {{the "concerned"}} c on c.segment = r.segment and c.user_id = r.user_id and c.item_key = r.item_key
{{/table}}

{{#table "last_answers"}}
-- of steps that are not settled
select h.segment, h.step, h.user_id, h.item_key, h.occurred_at, h.counts_from, h.due_at, h.expires_at, h.decided_at, h.event, h.reason, h.rule, h.channel
from {{the "answered"}} a
join {{the "history"}} h on h.seq = a.last_seq
where a.settles <= 0
{{/table}}

{{#table "behaviours"}}
-- what was said of a behaviour, whatever the step
select segment, user_id, item_key, occurred_at,
  max(case when reason = 'baseline' then 1 else 0 end) as was_baseline,
  max(case when reason <> 'baseline' then 1 else 0 end) as was_answered,
  max(case when event = 'backfilled' then counts_from end) as backfilled_from
from {{the "history"}}
group by segment, user_id, item_key, occurred_at
{{/table}}
