-- Reads: the rows that segments returned, and what is remembered of them.
-- Gives: standings, had_before, dated, candidates: what each row stands for, and the steps that are due.

{{#table "standings" kept="segment, user_id, item_key, standing"}}
select r.segment, r.user_id, r.item_key, r.email, r.phone, r.device_token, r.problems, coalesce(r.timezone, '') as zone,
  case
    when j.runs = 1 then 'running'
    when r.occurred_at <= j.last_claim_at or r.occurred_at <= c.converted_at then 'same_occurrence'
    else 'fresh'
  end as standing,
  case
    when j.runs = 1 and r.occurred_at > j.last_claim_at and (c.converted_at is null or r.occurred_at > c.converted_at) then 1
    else 0
  end as has_newer_behaviour,
  coalesce(j.ends, 0) as ends,
  r.occurred_at as row_occurred_at, j.anchor, j.counts_from as journey_counts_from,
  j.held_out_by, j.last_due_at, j.last_claim_at, j.last_counting_at
from {{the "open_rows"}} o
join {{work "segment_rows"}} r on r.segment = o.segment and r.user_id = o.user_id and r.item_key = o.item_key
left join {{the "memory"}} j on j.segment = r.segment and j.user_id = r.user_id and j.item_key = r.item_key
left join {{the "conversions"}} c on c.segment = r.segment and c.user_id = r.user_id and c.item_key = r.item_key
where r.dropped is null
{{/table}}

{{#table "had_before" kept="segment, user_id, item_key"}}
-- repeat: never looks at all history, on the columns, so that no rename sends twice
{{#if looks_up}}
-- A look-up for each row, which stays as fast while the ledger grows; a join would read the whole index.
select segment, user_id, item_key
from (
  select t.segment, t.user_id, t.item_key, (
    select sum(l.counts) from {{ledger "sent_ledger"}} l
    where l.segment = t.segment and l.user_id = t.user_id and l.item_key = t.item_key and l.counts <> 0
      {{#unless trial}}and not coalesce(l.trial, false){{/unless}}
  ) as counts
  from {{the "standings"}} t
  join {{the "segments"}} s on s.segment = t.segment and s.repeat_kind = 'never'
  where t.standing = 'fresh'
) h
where counts > 0
{{else}}
select l.segment, l.user_id, l.item_key
from {{ledger "sent_ledger"}} l
join {{the "segments"}} s on s.segment = l.segment and s.repeat_kind = 'never'
join {{the "standings"}} t on t.segment = l.segment and t.user_id = l.user_id and t.item_key = l.item_key and t.standing = 'fresh'
where l.counts <> 0 and l.decided_at >= {{had_before_from}} -- no day at all where no segment is for once in a lifetime
  {{#unless trial}}and not coalesce(l.trial, false){{/unless}}
group by l.segment, l.user_id, l.item_key
having sum(l.counts) > 0
{{/if}}
{{/table}}

{{#table "occurrences"}}
-- the behaviour that the row's steps are about: its own if fresh, else its journey's anchor
select t.*,
  case when t.standing = 'fresh' then t.row_occurred_at else t.anchor end as occurred_at,
  case when t.standing = 'fresh' then t.row_occurred_at else coalesce(t.journey_counts_from, t.anchor) end as counts_from_at_least,
  case when t.standing <> 'fresh' then t.anchor end as claimed_from
from (
  select s.segment, s.user_id, s.item_key, s.email, s.phone, s.device_token, s.problems, s.zone, case when h.user_id is null then s.standing else 'repeat_never' end as standing,
    s.row_occurred_at, s.anchor, s.journey_counts_from, s.held_out_by, s.last_due_at, s.last_claim_at, s.last_counting_at
  from {{the "standings"}} s
  left join {{the "had_before"}} h on h.segment = s.segment and h.user_id = s.user_id and h.item_key = s.item_key
  where s.ends = 0
) t
where t.standing = 'fresh' or t.anchor is not null
{{/table}}

{{#table "row_steps"}}
-- only what is due can be a candidate; a backfill counts from later, and of what was pruned there is none
select o.*, s.step, s.variant, s.factor, s.channel, s.address_kind, s.template, s.template_version, s.after_seconds, s.within_seconds, f.first_after_seconds, s.class, s.priority,
  s.repeat_kind, s.activated_at, s.look_back_seconds, s.backfill and o.occurred_at >= {{pruned_to}} as backfill
from {{the "occurrences"}} o
join {{the "plan"}} s on s.segment = o.segment
join {{the "first_offsets"}} f on f.segment = o.segment
  and case when f.factor is null then true else {{bucket (salt) "'variant'" "o.user_id" "o.segment" "f.factor"}} >= f.from_bucket and {{bucket (salt) "'variant'" "o.user_id" "o.segment" "f.factor"}} < f.to_bucket end
left join {{the "kept_variants"}} k on k.segment = o.segment and k.user_id = o.user_id and k.item_key = o.item_key and k.anchor = o.claimed_from and k.factor = s.factor
where (s.backfill and o.occurred_at >= {{pruned_to}} or o.counts_from_at_least <= s.due_until)
  and {{> drawn_variant first="k.variant" drawn=(bucket (salt) "'variant'" "o.user_id" "o.segment" "s.factor")}}
{{/table}}

{{#table "baselines"}}
select t.*, coalesce(b.was_baseline, 0) as was_baseline, b.backfilled_from,
  case
    when t.standing = 'fresh' and b.backfilled_from is null and coalesce(b.was_answered, 0) = 0
      and (coalesce(b.was_baseline, 0) = 1 or {{plus_seconds "t.occurred_at" "t.first_after_seconds"}} <= t.activated_at) then 1
    else 0
  end as is_baseline,
  coalesce(x.settles, 0) as settles, case when x.settles <= 0 then x.last_seq end as open_seq
from {{the "row_steps"}} t
left join {{the "answered"}} x on x.segment = t.segment and x.step = t.step and x.user_id = t.user_id and x.item_key = t.item_key and x.occurred_at = t.occurred_at
left join {{the "behaviours"}} b on b.segment = t.segment and b.user_id = t.user_id and b.item_key = t.item_key and b.occurred_at = t.occurred_at
{{/table}}

{{#table "counted"}}
select t.*,
  case
    when t.standing <> 'fresh' then t.counts_from_at_least
    when t.is_baseline = 1 and t.backfill then {{as_of}}
    else coalesce(t.backfilled_from, t.occurred_at)
  end as counts_from
from {{the "baselines"}} t
where t.settles <= 0 or (t.is_baseline = 1 and t.backfill)
{{/table}}

{{#table "dated"}}
select t.*,
  {{plus_seconds "t.counts_from" "t.after_seconds"}} as due_at,
  {{plus_seconds "t.counts_from" "t.first_after_seconds"}} as first_due_at,
  {{plus_seconds "t.counts_from" "t.after_seconds + t.within_seconds"}} as expires_at
from {{the "counted"}} t
{{/table}}

{{#table "candidates" kept="message_id, segment, step, user_id, item_key, occurred_at, address, class, standing"}}
-- narrow: whatever the project says of a step is looked up in the plan, where it is needed
select d.segment, d.step, d.variant, d.factor, d.user_id, d.item_key, d.occurred_at, d.counts_from, d.due_at, d.first_due_at, d.expires_at, d.standing, d.is_baseline, d.backfill,
  d.zone, d.problems, d.class, d.priority, d.held_out_by, d.last_due_at, d.last_claim_at, d.last_counting_at, h.event as last_event, h.reason as last_reason, h.rule as last_rule,
  case d.address_kind when 'email' then {{canonical_address "d.email" "email"}} when 'phone' then {{canonical_address "d.phone" "phone"}}
    when 'device_token' then {{canonical_address "d.device_token" "device_token"}} else d.user_id end as address,
  {{message_id (salt) "d" "d.occurred_at" "d.repeat_kind" trial}} as message_id
from {{the "dated"}} d
left join {{the "history"}} h on h.seq = d.open_seq
where d.due_at <= {{as_of}}
  and {{plus_seconds "d.expires_at" "d.look_back_seconds"}} >= {{as_of}}
  and (d.is_baseline = 0 or d.backfill or (d.was_baseline = 0 and d.after_seconds = d.first_after_seconds))
{{/table}}
