-- Reads: the candidates, audiences, suppressions, preferences and the claims of the ledger.
-- Gives: facts: of each candidate the rule that each reason names, or null.

{{#table "invalid"}}
select message_id, field as rule
from (
  select c.message_id, n.field, row_number() over (partition by c.message_id order by n.place) as place
  from {{the "candidates"}} c
  join {{the "needs"}} n on n.segment = c.segment and n.step = c.step and n.variant = c.variant
  where c.problems <> '' and replace(c.problems, n.code, '') <> c.problems
) x
where place = 1
{{/table}}

{{#table "converted"}}
select c.message_id, m.reached_at
from {{the "candidates"}} c
join {{work "audience_members"}} m on m.audience = c.goal and m.user_id = c.user_id
where c.standing = 'fresh' and (m.timeless = 1 or m.reached_at > c.occurred_at)
{{/table}}

{{#table "excluded"}}
select message_id, audience as rule
from (
  select c.message_id, u.audience, row_number() over (partition by c.message_id order by u.place) as place
  from {{the "candidates"}} c
  join {{the "audience_use"}} u on u.segment = c.segment and u.role = 'exclude'
  join {{work "audience_members"}} m on m.audience = u.audience and m.user_id = c.user_id
) x
where place = 1
{{/table}}

{{#table "no_consent"}}
select message_id, audience as rule
from (
  select c.message_id, u.audience, row_number() over (partition by c.message_id order by u.place) as place
  from {{the "candidates"}} c
  join {{the "audience_use"}} u on u.segment = c.segment and u.role = 'require'
  left join {{work "audience_members"}} m on m.audience = u.audience and m.user_id = c.user_id and (m.timeless = 1 or m.reached_at is not null)
  where m.user_id is null
) x
where place = 1
{{/table}}

{{#table "forbidden" kept="message_id"}}
-- suppressions of the candidates' addresses, for everything or for their topic, in whatever form they were written
select c.message_id, c.class, u.topic, u.reason
from (
  select channel, topic, reason, {{suppressed_address}} as address
  from (
    select {{canonical_name "channel"}} as channel, {{canonical_name "topic"}} as topic, reason, address from {{ledger "suppressions"}}
    {{#unless trial}}where not coalesce(trial, false){{/unless}}
  ) s
) u
join {{the "candidates"}} c on c.channel = u.channel and c.address = u.address
where u.topic is null or u.topic = c.topic
{{/table}}

{{#table "suppressed"}}
select message_id, min(reason) as rule
from {{the "forbidden"}}
where topic is null and (class = 'marketing' or reason <> 'unsubscribe')
group by message_id
{{/table}}

{{#table "wishes"}}
-- the last word of each user on each channel and topic, where it is no
select user_id, channel, topic
from (
  select p.*, row_number() over (partition by user_id, coalesce(channel, ''), coalesce(topic, '') order by seq desc) as newest
  from (
    select {{canonical_user "user_id"}} as user_id, {{canonical_name "channel"}} as channel, {{canonical_name "topic"}} as topic, opted_in, seq
    from {{ledger "preferences"}}
    where opted_in is not null {{#unless trial}}and not coalesce(trial, false){{/unless}}
  ) p
) w
where newest = 1 and not opted_in
{{/table}}

{{#table "opted_out"}}
select message_id, case min(place) when 1 then 'everything' when 2 then 'channel' when 3 then 'topic' else 'channel_topic' end as rule
from (
  select c.message_id, case when w.channel is null and w.topic is null then 1 when w.topic is null then 2 when w.channel is null then 3 else 4 end as place
  from {{the "candidates"}} c
  join {{the "wishes"}} w on w.user_id = c.user_id
  where (w.channel is null or w.channel = c.channel) and (w.topic is null or w.topic = c.topic)
  union all
  select message_id, 3 from {{the "forbidden"}} where topic is not null
) x
group by message_id
{{/table}}

{{#table "counting_claims"}}
-- marketing claims and hold-outs that neither failed nor were released or taken back; the address stands on the claim alone
select message_id, run_id, max(user_id) as user_id, max(address) as address, max(channel) as channel, max(topic) as topic, min(decided_at) as decided_at
from {{ledger "sent_ledger"}}
-- Not "counts <> 0": Postgres would read the whole of the index that has this condition.
where class = 'marketing' and abs(counts) = 1 and decided_at > {{caps_from}} and event not in ('sending', 'accepted', 'in_doubt')
  {{#unless trial}}and not coalesce(trial, false){{/unless}}
group by message_id, run_id
having sum(counts) > 0
{{/table}}

{{#table "cap_use"}}
-- of the candidates' users and addresses
select caps.place, caps.max_claims, 1 as by_user, c.user_id as whose, c.decided_at
from {{the "counting_claims"}} c
join {{the "caps"}} on (caps.channel is null or caps.channel = c.channel) and (caps.topic is null or caps.topic = c.topic)
where {{plus_seconds "c.decided_at" "caps.window_seconds"}} > {{as_of}} and exists (select 1 from {{the "candidates"}} x where x.user_id = c.user_id)
union all
select caps.place, caps.max_claims, 0, c.address, c.decided_at
from {{the "counting_claims"}} c
join {{the "caps"}} on (caps.channel is null or caps.channel = c.channel) and (caps.topic is null or caps.topic = c.topic)
where {{plus_seconds "c.decided_at" "caps.window_seconds"}} > {{as_of}} and exists (select 1 from {{the "candidates"}} x where x.address = c.address)
{{/table}}

{{#table "full_for"}}
select place, by_user, whose, count(*) as used, max(decided_at) as last_at
from {{the "cap_use"}}
group by place, by_user, whose, max_claims
having count(*) >= max_claims
{{/table}}

{{#table "full_caps"}}
-- by user or by address: the larger holds
select message_id, place, used, last_at, name, is_spacing, max_claims, window_seconds,
  row_number() over (partition by message_id, is_spacing order by place, used desc, last_at desc) as first_full
from (
  select c.message_id, f.used, f.last_at, caps.*
  from {{the "full_for"}} f join {{the "candidates"}} c on f.whose = c.user_id join {{the "caps"}} on caps.place = f.place
  where f.by_user = 1 and (caps.channel is null or caps.channel = c.channel) and (caps.topic is null or caps.topic = c.topic)
  union all
  select c.message_id, f.used, f.last_at, caps.*
  from {{the "full_for"}} f join {{the "candidates"}} c on f.whose = c.address join {{the "caps"}} on caps.place = f.place
  where f.by_user = 0 and (caps.channel is null or caps.channel = c.channel) and (caps.topic is null or caps.topic = c.topic)
) x
{{/table}}

{{#table "facts" kept="message_id, segment, user_id, item_key"}}
-- null: does not bite; otherwise the rule it names, '' where it names none
select c.*,
  case
    when c.is_baseline = 1 and not c.backfill then ''
    when c.standing = 'running' and c.due_at <= c.active_since and a.step is null then ''
  end as baseline,
  i.rule as invalid,
  c.failed_audience as audience_failed,
  case when v.message_id is not null then '' end as converted,
  v.reached_at,
  e.rule as excluded,
  n.rule as no_consent,
  u.rule as suppressed,
  case when c.class = 'marketing' then o.rule end as opted_out,
  case when c.expires_at <= {{as_of}} then case when a.event = 'waiting' then a.reason else '' end end as expired,
  case
    when c.standing = 'fresh' and c.repeat_kind = 'every' and {{plus_seconds "c.last_counting_at" "c.repeat_seconds"}} > c.first_due_at then ''
  end as repeat_gap,
  coalesce(c.paused_by, case when c.channel_paused then 'channel' end) as paused,
  case when c.too_old then 'too_old' when c.due_at > c.loaded_at then 'not_loaded' end as stale_data,
  case
    when c.standing <> 'fresh' and c.last_due_at < c.due_at
      and {{microseconds as_of}} - {{microseconds "c.last_claim_at"}} < {{microseconds "c.due_at"}} - {{microseconds "c.last_due_at"}} then ''
  end as step_gap,
  case when c.class = 'marketing' and case when z.zone is null then {{constant other_zone.shut "boolean"}} else z.shut end then '' end as quiet_hours,
  case when z.zone is null then {{constant other_zone.opens_at "timestamp"}} else z.opens_at end as opens_at,
  case when z.zone is null then {{constant other_zone.shuts_at "timestamp"}} else z.shuts_at end as shuts_at,
  case when c.class = 'marketing' then k.name end as cap,
  k.used as cap_used, k.max_claims as cap_max, k.window_seconds as cap_seconds,
  case when c.class = 'marketing' and p.message_id is not null then '' end as spacing,
  p.last_at as spacing_last_at, p.window_seconds as spacing_seconds,
  a.event as last_event, a.reason as last_reason, a.rule as last_rule
from {{the "candidates"}} c
left join {{the "last_answers"}} a on a.segment = c.segment and a.step = c.step and a.user_id = c.user_id and a.item_key = c.item_key and a.occurred_at = c.occurred_at
left join {{the "invalid"}} i on i.message_id = c.message_id
left join {{the "converted"}} v on v.message_id = c.message_id
left join {{the "excluded"}} e on e.message_id = c.message_id
left join {{the "no_consent"}} n on n.message_id = c.message_id
left join {{the "suppressed"}} u on u.message_id = c.message_id
left join {{the "opted_out"}} o on o.message_id = c.message_id
left join {{the "zones"}} z on z.zone = {{lower_ascii "c.zone"}}
left join {{the "full_caps"}} k on k.message_id = c.message_id and not k.is_spacing and k.first_full = 1
left join {{the "full_caps"}} p on p.message_id = c.message_id and p.is_spacing and p.first_full = 1
{{/table}}
