-- Reads: the candidates, suppressions, preferences and the claims of the ledger.
-- Gives: hours, forbidden, wishes, full_caps: what several reasons ask, or one asks at length.

{{#table "hours" kept="zone"}}
-- of each zone as rows write it: one that doesn't exist has the project's hours
select c.zone, case when z.zone is null then {{constant other_zone.shut "boolean"}} else z.shut end as shut,
  case when z.zone is null then {{constant other_zone.opens_at "timestamp"}} else z.opens_at end as opens_at,
  case when z.zone is null then {{constant other_zone.shuts_at "timestamp"}} else z.shuts_at end as shuts_at
from (select distinct zone from {{the "candidates"}}) c
left join {{the "zones"}} z on z.zone = {{lower_ascii "c.zone"}}
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
join {{the "candidates"}} c on c.address = u.address
join {{the "plan"}} p on p.segment = c.segment and p.step = c.step and p.variant = c.variant and p.channel = u.channel
where u.topic is null or u.topic = p.topic
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
select t.place, t.max_claims, 1 as by_user, c.user_id as whose, c.decided_at
from {{the "counting_claims"}} c
join {{the "caps"}} t on (t.channel is null or t.channel = c.channel) and (t.topic is null or t.topic = c.topic)
where c.decided_at > t.since and exists (select 1 from {{the "candidates"}} x where x.user_id = c.user_id)
union all
select t.place, t.max_claims, 0, c.address, c.decided_at
from {{the "counting_claims"}} c
join {{the "caps"}} t on (t.channel is null or t.channel = c.channel) and (t.topic is null or t.topic = c.topic)
where c.decided_at > t.since and exists (select 1 from {{the "candidates"}} x where x.address = c.address)
{{/table}}

{{#table "full_for"}}
select place, by_user, whose, count(*) as used, max(decided_at) as last_at
from {{the "cap_use"}}
group by place, by_user, whose, max_claims
having count(*) >= max_claims
{{/table}}

{{#table "full_caps" kept="message_id, is_spacing"}}
-- by user or by address: the larger holds
select message_id, used, last_at, name, is_spacing, max_claims, window_seconds
from (
  select x.*, row_number() over (partition by message_id, is_spacing order by place, used desc, last_at desc) as first_full
  from (
    select c.message_id, f.used, f.last_at, t.*
    from {{the "full_for"}} f
    join {{the "candidates"}} c on c.user_id = f.whose
    join {{the "plan"}} p on p.segment = c.segment and p.step = c.step and p.variant = c.variant
    join {{the "caps"}} t on t.place = f.place
    where f.by_user = 1 and c.class = 'marketing' and (t.channel is null or t.channel = p.channel) and (t.topic is null or t.topic = p.topic)
    union all
    select c.message_id, f.used, f.last_at, t.*
    from {{the "full_for"}} f
    join {{the "candidates"}} c on c.address = f.whose
    join {{the "plan"}} p on p.segment = c.segment and p.step = c.step and p.variant = c.variant
    join {{the "caps"}} t on t.place = f.place
    where f.by_user = 0 and c.class = 'marketing' and (t.channel is null or t.channel = p.channel) and (t.topic is null or t.topic = p.topic)
  ) x
) y
where first_full = 1
{{/table}}
