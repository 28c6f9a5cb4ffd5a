-- Gives every candidate exactly one decision with one reason: docs/decisions.md as one statement.
-- First what the project says, then what the ledger remembers, then the candidates, then a fact for each reason, then one CASE.
insert into {{work "decisions"}} (message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, priority, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at, send_by, event, reason, rule, detail, settles, counts, address, changed, is_new, row_count, place)
with
-- ── What the project says ────────────────────────────────────────────────────────────────────────────────────────────
segments as (
  {{rows segments}}
),
steps as {{kept}}(
  {{rows steps}}
),
first_offsets as (   -- when the first step of a fresh journey comes; by bucket where variants of one factor differ in that
  {{rows first_offsets}}
),
plan as (            -- every version of every step, with what its segment says
  select s.*, f.first_after_seconds, f.factor as first_factor, f.from_bucket as first_from_bucket, f.to_bucket as first_to_bucket,
    g.version as segment_version, g.class, g.priority, g.topic, g.goal, g.failed_audience, g.repeat_kind, g.repeat_seconds, g.activated_at, g.backfill,
    g.paused_by, g.surge_offered, g.surge_limit, g.loaded_at, g.too_old, g.max_per_run, g.holdout_below, g.look_back_seconds
  from steps s
  join segments g on g.segment = s.segment
  join first_offsets f on f.segment = s.segment
),
offsets as (         -- when each step is due at the earliest
  select s.segment, s.step, min(s.factor) as factor, min(s.after_seconds) as after_seconds, g.backfill
  from steps s
  join segments g on g.segment = s.segment
  group by s.segment, s.step, g.backfill
),
needs as (           -- which of a row's problems make a step's message impossible
  {{rows needs}}
),
audience_use as (    -- exclusions and requirements, in the order they are asked
  {{rows audience_use}}
),
caps as (            -- and the spacing, a cap of one by another name, at the end of the line
  {{rows caps}}
),
zones as (           -- those that exist; for all others the project's hours count
  {{rows zones}}
),
outcomes as (        -- what follows from each reason
  {{rows outcomes}}
),

-- ── What the ledger remembers ────────────────────────────────────────────────────────────────────────────────────────
recent as {{kept}}(          -- as far back as it can matter to a candidate of these segments
  select l.segment, l.step, l.user_id, l.item_key, l.occurred_at, l.counts_from, l.due_at, l.expires_at, l.decided_at,
    l.event, l.reason, l.rule, l.settles, l.counts, l.variant, l.factor, l.channel, l.run_id, l.seq
  from {{ledger "sent_ledger"}} l
  join segments s on s.segment = l.segment
  where (l.decided_at >= {{history_from}} and l.decided_at >= s.history_from{{#if kept_at}} or l.decided_at in ({{kept_at}}) and l.run_id in ({{kept_by}}){{/if}})
    and l.event not in ('sending', 'accepted', 'in_doubt'){{#if forgotten}} and l.run_id not in ({{forgotten}}){{/if}}
    {{#unless trial}}and not coalesce(l.trial, false){{/unless}}
),
backfills as (
  select segment, user_id, item_key, occurred_at, max(counts_from) as counts_from, max(seq) as seq
  from recent
  where event = 'backfilled'
  group by segment, user_id, item_key, occurred_at
),
told as (            -- a backfilled behaviour forgets what was before
  select r.*
  from recent r
  left join backfills b on b.segment = r.segment and b.user_id = r.user_id and b.item_key = r.item_key and b.occurred_at = r.occurred_at
  where b.seq is null or r.seq >= b.seq
),
answered as (        -- each step of each behaviour: settled or not, and where its last answer stands
  select segment, step, user_id, item_key, occurred_at, sum(settles) as settles, max(case when event <> 'failed' then seq end) as last_seq
  from told
  group by segment, step, user_id, item_key, occurred_at
),
settled as (
  select segment, step, user_id, item_key, occurred_at from answered where settles > 0
),
open_rows as (       -- a step is due and not settled, or another behaviour is known: most rows that a query returns again and again are neither
  select r.segment, r.user_id, r.item_key
  from {{work "segment_rows"}} r
  join offsets s on s.segment = r.segment
  left join settled x on x.segment = r.segment and x.step = s.step and x.user_id = r.user_id and x.item_key = r.item_key and x.occurred_at = r.occurred_at
  where r.dropped is null
    and (s.backfill or {{plus_seconds "r.occurred_at" "s.after_seconds"}} <= {{as_of}})
    and (s.backfill or x.step is null)
  union all
  select r.segment, r.user_id, r.item_key
  from answered a
  join {{work "segment_rows"}} r on r.segment = a.segment and r.user_id = a.user_id and r.item_key = a.item_key
  where r.dropped is null and r.occurred_at <> a.occurred_at
),
concerned as (       -- those, who may have reached a goal, and who may still wait
  select segment, user_id, item_key from open_rows
  union all
  select segment, user_id, item_key from recent where event in ('waiting', 'released')
  union all
  select r.segment, r.user_id, r.item_key
  from recent r
  join segments s on s.segment = r.segment
  join {{work "audience_members"}} m on m.audience = s.goal and m.user_id = r.user_id
),
history as {{kept}}(
  select r.*
  from told r
  where exists (select 1 from concerned c where c.segment = r.segment and c.user_id = r.user_id and c.item_key = r.item_key)
),
last_answers as (    -- of steps that are not settled
  select h.segment, h.step, h.user_id, h.item_key, h.occurred_at, h.counts_from, h.due_at, h.expires_at, h.decided_at, h.event, h.reason, h.rule, h.channel
  from answered a
  join history h on h.seq = a.last_seq
  where a.settles <= 0
),
behaviours as (      -- what was said of a behaviour, whatever the step
  select segment, user_id, item_key, occurred_at,
    max(case when reason = 'baseline' then 1 else 0 end) as was_baseline,
    max(case when reason <> 'baseline' then 1 else 0 end) as was_answered
  from history
  group by segment, user_id, item_key, occurred_at
),
standing_claims as ( -- claims and hold-outs that were not released; failed ones stand but count for nothing
  select segment, step, user_id, item_key, occurred_at as anchor, run_id, min(decided_at) as decided_at, min(due_at) as due_at, min(counts_from) as counts_from,
    max(variant) as variant, max(factor) as factor, max(case when event = 'held_out' then rule end) as held_out_by, sum(counts) as counts
  from history
  where event in ('claimed', 'held_out', 'failed', 'released')
  group by segment, step, user_id, item_key, occurred_at, run_id
  having sum(settles) > 0
),
journeys as (        -- a journey's claims come in the order of their due times: an earlier step is superseded by then
  select segment, user_id, item_key, anchor,
    min(counts_from) as counts_from,
    max(decided_at) as last_claim_at,
    max(due_at) as last_due_at,
    min(case when counts > 0 then decided_at end) as first_counting_at,
    max(case when place = 1 then held_out_by end) as held_out_by
  from (
    select standing_claims.*, row_number() over (partition by segment, user_id, item_key, anchor order by decided_at, due_at) as place
    from standing_claims
  ) c
  group by segment, user_id, item_key, anchor
),
kept_variants as (   -- of each journey's first claim in each factor; a claim from before factors counts in its step's of today
  select segment, user_id, item_key, anchor, factor, variant
  from (
    select c.*, row_number() over (partition by segment, user_id, item_key, anchor, factor order by decided_at, due_at) as place
    from (
      select c.segment, c.user_id, c.item_key, c.anchor, c.decided_at, c.due_at, c.variant, coalesce(c.factor, o.factor, c.step) as factor
      from standing_claims c
      left join offsets o on o.segment = c.segment and o.step = c.step
      where c.variant <> ''
    ) c
  ) k
  where place = 1
),
last_journeys as (
  select j.*, n.last_counting_at
  from journeys j
  join (
    select segment, user_id, item_key, max(anchor) as anchor, max(first_counting_at) as last_counting_at
    from journeys
    group by segment, user_id, item_key
  ) n on n.segment = j.segment and n.user_id = j.user_id and n.item_key = j.item_key and n.anchor = j.anchor
),
conversions as (
  select segment, user_id, item_key, max(decided_at) as converted_at
  from history
  where event = 'settled' and reason = 'converted'
  group by segment, user_id, item_key
),

-- ── Which journeys run, and which of them their goal ends ────────────────────────────────────────────────────────────
journey_steps as (
  select j.segment, j.user_id, j.item_key, j.anchor, j.counts_from, s.step, s.variant, s.factor, s.channel, s.template, s.template_version,
    {{plus_seconds "j.counts_from" "s.after_seconds"}} as due_at,
    {{plus_seconds "j.counts_from" "s.after_seconds + s.within_seconds"}} as expires_at
  from last_journeys j
  join segments g on g.segment = j.segment
  join steps s on s.segment = j.segment
  left join settled d on d.segment = j.segment and d.step = s.step and d.user_id = j.user_id and d.item_key = j.item_key and d.occurred_at = j.anchor
  left join kept_variants k on k.segment = j.segment and k.user_id = j.user_id and k.item_key = j.item_key and k.anchor = j.anchor and k.factor = s.factor
  where d.step is null
    and {{plus_seconds "j.counts_from" "g.look_back_seconds"}} > {{as_of}}
    and {{> drawn_variant first="k.variant" drawn=(bucket salt "'variant'" "j.user_id" "j.segment" "s.factor")}}
),
running as (
  select segment, user_id, item_key, anchor
  from journey_steps
  where expires_at > {{as_of}}
  group by segment, user_id, item_key, anchor
),
ended as (           -- the goal reached after the anchor
  select j.segment, j.user_id, j.item_key, j.anchor, m.reached_at
  from running j
  join segments g on g.segment = j.segment
  join {{work "audience_members"}} m on m.audience = g.goal and m.user_id = j.user_id
  where m.timeless = 1 or m.reached_at > j.anchor
),
memory as (          -- each segment, user and key with its last journey
  select j.*, case when n.anchor is null then 0 else 1 end as runs, case when e.anchor is null then 0 else 1 end as ends
  from last_journeys j
  left join running n on n.segment = j.segment and n.user_id = j.user_id and n.item_key = j.item_key
  left join ended e on e.segment = j.segment and e.user_id = j.user_id and e.item_key = j.item_key
),

-- ── What each returned row stands for, and the steps it makes candidates of ─────────────────────────────────────────────
standings as {{kept}}(
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
  from {{work "segment_rows"}} r
  left join memory j on j.segment = r.segment and j.user_id = r.user_id and j.item_key = r.item_key
  left join conversions c on c.segment = r.segment and c.user_id = r.user_id and c.item_key = r.item_key
  where r.dropped is null
    and exists (select 1 from open_rows o where o.segment = r.segment and o.user_id = r.user_id and o.item_key = r.item_key)
),
had_before as {{kept}}(      -- repeat: never looks at all history, on the columns, so that no rename sends twice
{{#if is_postgres}}
  -- A look-up for each row, which stays as fast while the ledger grows; a join would read the whole index.
  select segment, user_id, item_key
  from (
    select t.segment, t.user_id, t.item_key, (
      select sum(l.counts) from {{ledger "sent_ledger"}} l
      where l.segment = t.segment and l.user_id = t.user_id and l.item_key = t.item_key and l.counts <> 0
        {{#unless trial}}and not coalesce(l.trial, false){{/unless}}
    ) as counts
    from standings t
    join segments s on s.segment = t.segment and s.repeat_kind = 'never'
    where t.standing = 'fresh'
  ) h
  where counts > 0
{{else}}
  select l.segment, l.user_id, l.item_key
  from {{ledger "sent_ledger"}} l
  join segments s on s.segment = l.segment and s.repeat_kind = 'never'
  join standings t on t.segment = l.segment and t.user_id = l.user_id and t.item_key = l.item_key and t.standing = 'fresh'
  where l.counts <> 0 and l.decided_at >= {{had_before_from}} -- no day at all where no segment is for once in a lifetime
    {{#unless trial}}and not coalesce(l.trial, false){{/unless}}
  group by l.segment, l.user_id, l.item_key
  having sum(l.counts) > 0
{{/if}}
),
occurrences as (     -- the behaviour that the row's steps are about: its own if fresh, else its journey's anchor
  select t.*,
    case when t.standing = 'fresh' then t.row_occurred_at else t.anchor end as occurred_at,
    case when t.standing = 'fresh' then t.row_occurred_at else coalesce(t.journey_counts_from, t.anchor) end as counts_from_at_least
  from (
    select s.segment, s.user_id, s.item_key, s.email, s.phone, s.device_token, s.problems, s.zone, case when h.user_id is null then s.standing else 'repeat_never' end as standing,
      s.row_occurred_at, s.anchor, s.journey_counts_from, s.held_out_by, s.last_due_at, s.last_claim_at, s.last_counting_at
    from standings s
    left join had_before h on h.segment = s.segment and h.user_id = s.user_id and h.item_key = s.item_key
    where s.ends = 0
  ) t
  where t.standing = 'fresh' or t.anchor is not null
),
row_steps as (       -- only what is due can be a candidate; a backfill counts from later, and of what was pruned there is none
  select o.*, s.step, s.variant, s.factor, s.channel, s.address_kind, s.template, s.template_version, s.channel_paused, s.active_since, s.after_seconds, s.within_seconds, s.first_after_seconds,
    s.segment_version, s.class, s.priority, s.topic, s.goal, s.failed_audience, s.repeat_kind, s.repeat_seconds, s.activated_at, s.backfill and o.occurred_at >= {{pruned_to}} as backfill, s.paused_by, s.surge_offered,
    s.surge_limit, s.loaded_at, s.too_old, s.max_per_run, s.holdout_below, s.look_back_seconds
  from occurrences o
  join plan s on s.segment = o.segment
    and case when s.first_factor is null then true else {{bucket salt "'variant'" "o.user_id" "o.segment" "s.first_factor"}} >= s.first_from_bucket and {{bucket salt "'variant'" "o.user_id" "o.segment" "s.first_factor"}} < s.first_to_bucket end
  left join kept_variants k on k.segment = o.segment and k.user_id = o.user_id and k.item_key = o.item_key and k.anchor = o.anchor and k.factor = s.factor
    and o.standing <> 'fresh'
  where (s.backfill and o.occurred_at >= {{pruned_to}} or {{plus_seconds "o.counts_from_at_least" "s.after_seconds"}} <= {{as_of}})
    and {{> drawn_variant first="k.variant" drawn=(bucket salt "'variant'" "o.user_id" "o.segment" "s.factor")}}
),
baselines as (
  select t.*, coalesce(b.was_baseline, 0) as was_baseline, f.counts_from as backfilled_from, x.step as settled_step,
    case
      when t.standing = 'fresh' and f.seq is null and coalesce(b.was_answered, 0) = 0
        and (coalesce(b.was_baseline, 0) = 1 or {{plus_seconds "t.occurred_at" "t.first_after_seconds"}} <= t.activated_at) then 1
      else 0
    end as is_baseline
  from row_steps t
  left join settled x on x.segment = t.segment and x.step = t.step and x.user_id = t.user_id and x.item_key = t.item_key and x.occurred_at = t.occurred_at
  left join behaviours b on b.segment = t.segment and b.user_id = t.user_id and b.item_key = t.item_key and b.occurred_at = t.occurred_at
  left join backfills f on f.segment = t.segment and f.user_id = t.user_id and f.item_key = t.item_key and f.occurred_at = t.occurred_at
),
counted as (
  select t.*,
    case
      when t.standing <> 'fresh' then t.counts_from_at_least
      when t.is_baseline = 1 and t.backfill then {{as_of}}
      else coalesce(t.backfilled_from, t.occurred_at)
    end as counts_from
  from baselines t
  where t.settled_step is null or (t.is_baseline = 1 and t.backfill)
),
dated as (
  select t.*,
    {{plus_seconds "t.counts_from" "t.after_seconds"}} as due_at,
    {{plus_seconds "t.counts_from" "t.first_after_seconds"}} as first_due_at,
    {{plus_seconds "t.counts_from" "t.after_seconds + t.within_seconds"}} as expires_at
  from counted t
),
candidates as {{kept}}(
  select d.segment, d.step, d.variant, d.factor, d.user_id, d.item_key, d.occurred_at, d.counts_from, d.due_at, d.first_due_at, d.expires_at, d.standing, d.is_baseline, d.zone, d.problems,
    d.channel, d.channel_paused, d.active_since, d.template, d.template_version, d.held_out_by, d.last_due_at, d.last_claim_at, d.last_counting_at, d.backfill,
    d.class, d.priority, d.topic, d.segment_version, d.goal, d.failed_audience, d.repeat_kind, d.repeat_seconds, d.activated_at, d.paused_by, d.surge_offered, d.surge_limit,
    d.loaded_at, d.too_old, d.max_per_run, d.holdout_below,
    case d.address_kind when 'email' then {{canonical_address "d.email" "email"}} when 'phone' then {{canonical_address "d.phone" "phone"}}
      when 'device_token' then {{canonical_address "d.device_token" "device_token"}} else d.user_id end as address,
    {{message_id salt "d" "d.occurred_at" "d.repeat_kind" trial}} as message_id
  from dated d
  where d.due_at <= {{as_of}}
    and {{plus_seconds "d.expires_at" "d.look_back_seconds"}} >= {{as_of}}
    and (d.is_baseline = 0 or d.backfill or (d.was_baseline = 0 and d.after_seconds = d.first_after_seconds))
),

-- ── A fact for each reason: the rule it names, or no row ───────────────────────────────────────────────────────────────
invalid as (
  select message_id, field as rule
  from (
    select c.message_id, n.field, row_number() over (partition by c.message_id order by n.place) as place
    from candidates c
    join needs n on n.segment = c.segment and n.step = c.step and n.variant = c.variant
    where c.problems <> '' and replace(c.problems, n.code, '') <> c.problems
  ) x
  where place = 1
),
converted as (
  select c.message_id, m.reached_at
  from candidates c
  join {{work "audience_members"}} m on m.audience = c.goal and m.user_id = c.user_id
  where c.standing = 'fresh' and (m.timeless = 1 or m.reached_at > c.occurred_at)
),
excluded as (
  select message_id, audience as rule
  from (
    select c.message_id, u.audience, row_number() over (partition by c.message_id order by u.place) as place
    from candidates c
    join audience_use u on u.segment = c.segment and u.role = 'exclude'
    join {{work "audience_members"}} m on m.audience = u.audience and m.user_id = c.user_id
  ) x
  where place = 1
),
no_consent as (
  select message_id, audience as rule
  from (
    select c.message_id, u.audience, row_number() over (partition by c.message_id order by u.place) as place
    from candidates c
    join audience_use u on u.segment = c.segment and u.role = 'require'
    left join {{work "audience_members"}} m on m.audience = u.audience and m.user_id = c.user_id and (m.timeless = 1 or m.reached_at is not null)
    where m.user_id is null
  ) x
  where place = 1
),
forbidden as {{kept}}(       -- suppressions of the candidates' addresses, for everything or for their topic, in whatever form they were written
  select c.message_id, c.class, u.topic, u.reason
  from (
    select channel, topic, reason, {{suppressed_address}} as address
    from (
      select {{canonical_name "channel"}} as channel, {{canonical_name "topic"}} as topic, reason, address from {{ledger "suppressions"}}
      {{#unless trial}}where not coalesce(trial, false){{/unless}}
    ) s
  ) u
  join candidates c on c.channel = u.channel and c.address = u.address
  where u.topic is null or u.topic = c.topic
),
suppressed as (
  select message_id, min(reason) as rule
  from forbidden
  where topic is null and (class = 'marketing' or reason <> 'unsubscribe')
  group by message_id
),
wishes as (          -- the last word of each user on each channel and topic, where it is no
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
),
opted_out as (
  select message_id, case min(place) when 1 then 'everything' when 2 then 'channel' when 3 then 'topic' else 'channel_topic' end as rule
  from (
    select c.message_id, case when w.channel is null and w.topic is null then 1 when w.topic is null then 2 when w.channel is null then 3 else 4 end as place
    from candidates c
    join wishes w on w.user_id = c.user_id
    where (w.channel is null or w.channel = c.channel) and (w.topic is null or w.topic = c.topic)
    union all
    select message_id, 3 from forbidden where topic is not null
  ) x
  group by message_id
),
counting_claims as ( -- marketing claims and hold-outs that neither failed nor were released or taken back; the address stands on the claim alone
  select message_id, run_id, max(user_id) as user_id, max(address) as address, max(channel) as channel, max(topic) as topic, min(decided_at) as decided_at
  from {{ledger "sent_ledger"}}
  -- Not "counts <> 0": Postgres would read the whole of the index that has this condition.
  where class = 'marketing' and abs(counts) = 1 and decided_at > {{caps_from}} and event not in ('sending', 'accepted', 'in_doubt')
    {{#unless trial}}and not coalesce(trial, false){{/unless}}
  group by message_id, run_id
  having sum(counts) > 0
),
cap_use as (         -- of the candidates' users and addresses
  select caps.place, caps.max_claims, 1 as by_user, c.user_id as whose, c.decided_at
  from counting_claims c
  join caps on (caps.channel is null or caps.channel = c.channel) and (caps.topic is null or caps.topic = c.topic)
  where {{plus_seconds "c.decided_at" "caps.window_seconds"}} > {{as_of}} and exists (select 1 from candidates x where x.user_id = c.user_id)
  union all
  select caps.place, caps.max_claims, 0, c.address, c.decided_at
  from counting_claims c
  join caps on (caps.channel is null or caps.channel = c.channel) and (caps.topic is null or caps.topic = c.topic)
  where {{plus_seconds "c.decided_at" "caps.window_seconds"}} > {{as_of}} and exists (select 1 from candidates x where x.address = c.address)
),
full_for as (
  select place, by_user, whose, count(*) as used, max(decided_at) as last_at
  from cap_use
  group by place, by_user, whose, max_claims
  having count(*) >= max_claims
),
full_caps as (       -- by user or by address: the larger holds
  select message_id, place, used, last_at, name, is_spacing, max_claims, window_seconds,
    row_number() over (partition by message_id, is_spacing order by place, used desc, last_at desc) as first_full
  from (
    select c.message_id, f.used, f.last_at, caps.*
    from full_for f join candidates c on f.whose = c.user_id join caps on caps.place = f.place
    where f.by_user = 1 and (caps.channel is null or caps.channel = c.channel) and (caps.topic is null or caps.topic = c.topic)
    union all
    select c.message_id, f.used, f.last_at, caps.*
    from full_for f join candidates c on f.whose = c.address join caps on caps.place = f.place
    where f.by_user = 0 and (caps.channel is null or caps.channel = c.channel) and (caps.topic is null or caps.topic = c.topic)
  ) x
),
facts as {{kept}}(           -- null: does not bite; otherwise the rule it names, '' where it names none
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
  from candidates c
  left join last_answers a on a.segment = c.segment and a.step = c.step and a.user_id = c.user_id and a.item_key = c.item_key and a.occurred_at = c.occurred_at
  left join invalid i on i.message_id = c.message_id
  left join converted v on v.message_id = c.message_id
  left join excluded e on e.message_id = c.message_id
  left join no_consent n on n.message_id = c.message_id
  left join suppressed u on u.message_id = c.message_id
  left join opted_out o on o.message_id = c.message_id
  left join zones z on z.zone = {{lower_ascii "c.zone"}}
  left join full_caps k on k.message_id = c.message_id and not k.is_spacing and k.first_full = 1
  left join full_caps p on p.message_id = c.message_id and p.is_spacing and p.first_full = 1
),
later_steps as (     -- of each journey that could have two: the latest step claimed, and the latest that could go now
  select segment, user_id, item_key, max(case when standing <> 'fresh' then last_due_at end) as claimed_due_at,
    max(case when coalesce(baseline, invalid, audience_failed, converted, excluded, no_consent, suppressed, opted_out, expired, paused) is null then due_at end) as open_due_at
  from facts
  group by segment, user_id, item_key
  having count(*) > 1 or max(case when standing <> 'fresh' then 1 else 0 end) = 1
),
superseded as (
  select f.message_id
  from facts f
  join later_steps l on l.segment = f.segment and l.user_id = f.user_id and l.item_key = f.item_key
  where l.open_due_at > f.due_at or l.claimed_due_at > f.due_at
),
user_line as {{kept}}(       -- who is left after rules 1 to 16, in the order of the line: first per user, then per address
  select f.message_id, f.user_id, f.address, f.segment, f.priority, f.expires_at, f.max_per_run,
    row_number() over (partition by f.user_id order by f.priority desc, f.expires_at, f.message_id) as place,
    first_value(f.message_id) over (partition by f.user_id order by f.priority desc, f.expires_at, f.message_id) as winner
  from facts f
  left join superseded s on s.message_id = f.message_id
  where f.class = 'marketing' and s.message_id is null
    and coalesce(baseline, invalid, audience_failed, converted, excluded, no_consent, suppressed, opted_out, expired, repeat_gap, paused, stale_data,
      step_gap, quiet_hours, cap, spacing) is null
),
address_line as (
  select user_line.*,
    row_number() over (partition by address order by priority desc, expires_at, message_id) as address_place,
    first_value(message_id) over (partition by address order by priority desc, expires_at, message_id) as address_winner
  from user_line
  where place = 1
),
segment_line as (
  select address_line.*, row_number() over (partition by segment order by priority desc, expires_at, message_id) as segment_place
  from address_line
  where address_place = 1
),
project_line as (
  select segment_line.*, row_number() over (order by priority desc, expires_at, message_id) as project_place
  from segment_line
  where (max_per_run is null or segment_place <= max_per_run) and (select count(*) from segment_line) > {{max_per_run}}
),
stopped as (         -- by those who go first
  select message_id, 'user' as outranked, winner, {{null_text}} as run_limit, {{null_bigint}} as most from user_line where place > 1
  union all
  select message_id, 'address', address_winner, {{null_text}}, {{null_bigint}} from address_line where address_place > 1
  union all
  select message_id, {{null_text}}, {{null_text}}, 'segment', max_per_run from segment_line where segment_place > max_per_run
  union all
  select message_id, {{null_text}}, {{null_text}}, 'project', {{max_per_run}} from project_line where project_place > {{max_per_run}}
),
reasoned as {{materialized}} (
  select f.*, case when s.message_id is not null then '' end as superseded, o.outranked, o.winner, o.run_limit, o.most,
    case
      when f.class <> 'marketing' then null
      when f.standing <> 'fresh' then f.held_out_by
      when {{bucket salt "'holdout'" "f.user_id"}} < {{project_holdout_below}} then 'project'
      when {{bucket salt "'holdout'" "f.user_id" "f.segment"}} < f.holdout_below then 'segment'
    end as held_out
  from facts f
  left join superseded s on s.message_id = f.message_id
  left join stopped o on o.message_id = f.message_id
),

-- ── The rules, in order ──────────────────────────────────────────────────────────────────────────────────────────────
decided as {{materialized}} {{kept}}(
  select r.*,
    case
      when baseline is not null then 'baseline'
      when invalid is not null then 'invalid'
      -- or a flood would count as offered before, and go, once the audience works again
      when audience_failed is not null and paused = 'surge' then 'surge'
      when audience_failed is not null then 'audience_failed'
      when converted is not null then 'converted'
      when excluded is not null then 'excluded'
      when no_consent is not null then 'no_consent'
      when suppressed is not null then 'suppressed'
      when opted_out is not null then 'opted_out'
      when expired is not null then 'expired'
      when superseded is not null then 'superseded'
      when repeat_gap is not null then 'repeat_gap'
      when paused = 'surge' then 'surge'
      when paused is not null then 'paused'
      when stale_data is not null then 'stale_data'
      when step_gap is not null then 'step_gap'
      when quiet_hours is not null then 'quiet_hours'
      when cap is not null then 'cap'
      when spacing is not null then 'spacing'
      when outranked is not null then 'outranked'
      when run_limit is not null then 'run_limit'
      when held_out is not null then 'held_out'
      else 'claimed'
    end as reason,
    coalesce(baseline, invalid, case when audience_failed is not null and paused = 'surge' then '' else audience_failed end,
      converted, excluded, no_consent, suppressed, opted_out, expired, superseded, repeat_gap, case when paused = 'surge' then '' else paused end, stale_data,
      step_gap, quiet_hours, cap, spacing, outranked, run_limit, held_out, '') as rule
  from reasoned r
),
answers as (
  select d.*, o.event, o.settles, o.counts
  from decided d
  join outcomes o on o.reason = d.reason
),

-- ── What ends without being a candidate ──────────────────────────────────────────────────────────────────────────────
conversion_rows as ( -- every unsettled step of a journey whose goal was reached
  select s.*, e.reached_at
  from journey_steps s
  join ended e on e.segment = s.segment and e.user_id = s.user_id and e.item_key = s.item_key and e.anchor = s.anchor
),
gone as (            -- waited, and is no candidate any more although its segment's query worked
  select a.*, r.newer
  from last_answers a
  join segments g on g.segment = a.segment and g.queried
  left join candidates c on c.segment = a.segment and c.step = a.step and c.user_id = a.user_id and c.item_key = a.item_key and c.occurred_at = a.occurred_at
  left join ended e on e.segment = a.segment and e.user_id = a.user_id and e.item_key = a.item_key and e.anchor = a.occurred_at
  left join (
    select segment, user_id, item_key, row_occurred_at as newer from standings where standing <> 'running'
  ) r on r.segment = a.segment and r.user_id = a.user_id and r.item_key = a.item_key and r.newer > a.occurred_at
  where a.event in ('waiting', 'released') and c.message_id is null and e.anchor is null
),
silent as (          -- returned, and nothing of it is due and open: counted, not recorded
  select segment, reason, count(*) as row_count
  from (
    select t.segment,
      case
        when t.ends = 1 then 'converted'
        when t.has_newer_behaviour = 1 then 'journey_running'
        when t.standing in ('running', 'same_occurrence') then 'same_occurrence'
        when h.user_id is not null then 'repeat_never'
        else 'not_due'
      end as reason
    from standings t
    left join had_before h on h.segment = t.segment and h.user_id = t.user_id and h.item_key = t.item_key
    left join (select distinct segment, user_id, item_key from candidates) c on c.segment = t.segment and c.user_id = t.user_id and c.item_key = t.item_key
    where c.user_id is null
    union all
    select r.segment, case when {{plus_seconds "r.occurred_at" "f.after_seconds"}} <= {{as_of}} then 'same_occurrence' else 'not_due' end
    from {{work "segment_rows"}} r
    join (select segment, min(after_seconds) as after_seconds from offsets group by segment) f on f.segment = r.segment
    where r.dropped is null
      and not exists (select 1 from open_rows o where o.segment = r.segment and o.user_id = r.user_id and o.item_key = r.item_key)
  ) x
  group by segment, reason
),
all_rows as (
  select 1 as part, message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, priority, channel, topic, template, template_version,
    occurred_at, counts_from, due_at, expires_at,
    case when event = 'claimed' and class = 'marketing' and shuts_at < expires_at then shuts_at when event = 'claimed' then expires_at end as send_by,
    event, reason, rule,
    case reason
      {{> details}}
    end as detail,
    settles, counts, case when counts = 1 then address end as address,
    case when last_event = event and last_reason = reason and last_rule = rule then 0 else 1 end as changed,
    case
      when event in ('settled', 'denied') or counts_from <> occurred_at or (last_event in ('waiting', 'released') and last_reason <> 'surge') then 0
      else 1
    end as is_new, 1 as row_count
  from answers
  union all
  select 0, {{message_id salt "c" "c.anchor" "g.repeat_kind" trial}}, c.segment, g.version, c.step, c.variant, c.factor, c.user_id, c.item_key,
    g.class, g.priority, c.channel, g.topic, c.template, c.template_version, c.anchor, c.counts_from, c.due_at, c.expires_at, {{null_timestamp}},
    'settled', 'converted', '', {{json "goal" "g.goal" "reached_at" (iso "c.reached_at")}}, 1, 0, {{null_text}}, 1, 0, 1
  from conversion_rows c
  join segments g on g.segment = c.segment
  union all
  select 0, {{message_id salt "d" "d.occurred_at" "g.repeat_kind" trial}}, d.segment, g.version, d.step, d.variant, d.factor, d.user_id, d.item_key,
    g.class, g.priority, d.channel, g.topic, d.template, d.template_version, d.occurred_at, {{as_of}}, d.due_at, d.expires_at, {{null_timestamp}},
    'backfilled', 'backfilled', '', {{json "counts_from" (iso as_of)}}, 0, 0, {{null_text}}, 1, 0, 1
  from dated d
  join segments g on g.segment = d.segment
  where d.is_baseline = 1 and d.backfill and d.after_seconds = d.first_after_seconds
  union all
  select 2, {{message_id salt "a" "a.occurred_at" "g.repeat_kind" trial}}, a.segment, g.version, a.step, '', {{null_text}}, a.user_id, a.item_key,
    g.class, g.priority, a.channel, g.topic, {{null_text}}, {{null_text}}, a.occurred_at, a.counts_from, a.due_at, a.expires_at, {{null_timestamp}},
    case when a.newer is null then 'left' else 'settled' end, case when a.newer is null then 'left' else 'superseded' end,
    case when a.newer is not null then 'newer_behaviour' when a.event = 'released' then 'released' else a.reason end,
    {{json "waited_for" "a.reason" "waited_seconds" (seconds_between "a.decided_at" as_of) "newer_behaviour" (iso "a.newer")}},
    case when a.newer is null then 0 else 1 end, 0, {{null_text}}, 1, 0, 1
  from gone a
  join segments g on g.segment = a.segment
  union all
  select 3, {{null_text}}, t.segment, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}}, 0, {{null_text}}, {{null_text}}, {{null_text}}, {{null_text}},
    {{null_timestamp}}, {{null_timestamp}}, {{null_timestamp}}, {{null_timestamp}}, {{null_timestamp}}, 'none', t.reason, '', {{null_text}}, 0, 0, {{null_text}}, 0, 0, t.row_count
  from silent t
)
select message_id, segment, segment_version, step, variant, factor, user_id, item_key, class, priority, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at, send_by, event, reason, rule, detail, settles, counts, address, changed, is_new, row_count,
  row_number() over (order by part, case when class = 'transactional' then 0 else 1 end, priority desc, expires_at, message_id)
from all_rows
