-- What users do in the planner: the four steps of the set-up, the days on which they use it, their plans and how full these are.

-- The first step is a matter of minutes, the later ones of hours or days; one in four takes days over any of them.
create temp table setup_steps as
with waits as (
  select n, signed_up_at, step,
    60 * (5 + 90 * draw(n, 'step minutes ' || step)) + case when step > 1 or draw(n, 'later ' || step) < 0.2 then 86400 * 1.8 * pow(draw(n, 'step days ' || step), 2) else 0 end
      + case when draw(n, 'much later ' || step) < 0.25 then 86400 * (0.5 + 9 * draw(n, 'how much later ' || step)) else 0 end as wait
  from people
  join range(1, 5) as steps_of(step) on step <= people.steps
)
select n, step, signed_up_at + to_seconds(cast(sum(wait) over (partition by n order by step) as bigint)) as occurred_at
from waits;

delete from setup_steps where occurred_at > {{now}};

-- Days with the app: seldom before the set-up is done, and no longer once it has stalled for two weeks.
create temp table days_with_app as
with days as (
  select p.n, p.hours_ahead, p.signed_up_at, day, awake(p.signed_up_at + to_days(cast(day as integer)), p.hours_ahead, draw(p.n * 1000 + day, 'hour')) as began_at,
    draw(p.n * 1000 + day, 'day') * 7 < case
      when day >= p.stops_after then 0
      when p.steps = 4 and day >= p.slows_after then p.days_a_week * 0.2
      when p.steps = 4 then p.days_a_week
      when day < 14 then 0.5 + 0.5 * p.steps
      else 0
    end as used
  from people p
  join range(0, 211) as days_since(day) on p.signed_up_at + to_days(cast(day as integer)) <= {{now}}
)
select n, day, greatest(began_at, signed_up_at + to_minutes(2)) as began_at
from days
where used and began_at <= {{now}};

create table events as
with features as (
  -- One feature is everybody's first; each further one is taken up some weeks after the last, or never.
  select p.n, rank, 1 + (p.n + rank) % 4 as feature, case rank when 0 then 0 else rank * (4 + 14 * draw(p.n, 'takes up ' || rank)) end as from_day
  from people p
  join range(0, 4) as ranks(rank) on rank = 0 or draw(p.n, 'features') > 0.25 * rank
),
used as (
  select d.n, f.feature, d.began_at + to_seconds(cast(60 + 1500 * draw(d.n * 1000 + d.day, 'feature ' || f.feature) as bigint)) as occurred_at
  from days_with_app d
  join features f on f.n = d.n and f.from_day <= d.day
  join setup_steps s on s.n = d.n and s.step = 1 and s.occurred_at < d.began_at
  where draw(d.n * 1000 + d.day, 'uses ' || f.feature) < case f.from_day when 0 then 0.8 else 0.3 end
),
viewed as (
  select n, case when draw(n * 1000 + day, 'page') < 0.7 then 'home' when draw(n * 1000 + day, 'page') < 0.93 then 'help' else 'pricing' end as page,
    began_at + to_seconds(cast(10 + 40 * draw(n * 1000 + day, 'page at') as bigint)) as occurred_at
  from days_with_app
  where draw(n * 1000 + day, 'views') < 0.3
  union all
  -- One user in four weighs a plan up once: three to five looks at the prices within a few days.
  select n, 'pricing', began_at + to_seconds(cast(86400 * 4 * draw(n * 10 + look, 'look') as bigint))
  from (select n, signed_up_at + to_seconds(cast(86400 * 150 * draw(n, 'weighs up at') as bigint)) as began_at from people where draw(n, 'weighs up') < 0.25) as weighing
  join range(0, 5) as looks(look) on look < 3 + floor(3 * draw(n, 'looks'))
),
happened as (
  select n, occurred_at, 'setup_step_completed' as event, list_extract(['create_planner', 'import_calendar', 'invite_teammate', 'first_review'], cast(step as integer)) as subject
  from setup_steps
  union all
  select n, occurred_at, 'feature_used', list_extract(['shared_board', 'weekly_summary', 'templates', 'reminders'], cast(feature as integer)) from used
  union all
  select n, occurred_at, 'page_viewed', page from viewed
  union all
  select n, began_at, 'signed_in', null from days_with_app
)
select 'e' || lpad(cast(row_number() over (order by occurred_at, n, event, subject) as varchar), 6, '0') as event_id,
  'u' || lpad(cast(n as varchar), 4, '0') as user_id, occurred_at, event, subject
from happened
where occurred_at <= {{now}}
order by occurred_at, n, event, subject;

-- Most try a plan for 14 days; those who are set up often pay for it, a few days before its end or within a day of it.
create temp table plans as
with tries as (
  select n, steps, currency, signed_up_at, draw(n, 'tries') < 0.6 as tried,
    case when draw(n, 'plan') < 0.55 then 'starter' when draw(n, 'plan') < 0.9 then 'team' else 'business' end as tried_plan,
    signed_up_at + to_seconds(cast(3600 * 30 * pow(draw(n, 'tries at'), 2) as bigint)) as tried_at,
    draw(n, 'pays') < case steps when 4 then 0.6 else 0.1 end as pays
  from people
),
paid as (
  select *, tried_at + to_days(14) as trial_ends_at,
    case
      when tried and pays and draw(n, 'pays early') < 0.6 then tried_at + to_days(14) - to_seconds(cast(86400 * 6 * draw(n, 'pays at') as bigint))
      when tried and pays then tried_at + to_days(14) + to_seconds(cast(3600 * (30 * draw(n, 'pays at') - 6) as bigint))
      -- Some never try, and buy the smallest plan when the free one has become too small.
      when not tried and steps = 4 and draw(n, 'buys') < 0.25 then signed_up_at + to_seconds(cast(86400 * (12 + 80 * draw(n, 'buys at')) as bigint))
    end as paid_at
  from tries
),
moves as (
  select *,
    case when draw(n, 'moves up') < 0.2 and tried_plan <> 'business' then paid_at + to_seconds(cast(86400 * (8 + 90 * draw(n, 'moves up at')) as bigint)) end as moved_at,
    case when draw(n, 'cancels') < 0.15 then paid_at + to_days(30 * (1 + cast(floor(4 * draw(n, 'cancels after')) as integer))) end as cancelled_at
  from paid
)
-- Free: from the sign-up where no trial began, and again after one that lapsed.
select n, currency, 'free' as plan, signed_up_at as started_at, cast(null as timestamp) as trial_ends_at, cast(null as timestamp) as paid_at, paid_at as ended_at, cast(null as varchar) as changed_from
from moves where not tried
union all
select n, currency, 'free', trial_ends_at, null, null, null, null from moves where tried and paid_at is null
union all
select n, currency, 'starter', paid_at, null, paid_at, moved_at, 'free' from moves where not tried and paid_at is not null
union all
select n, currency, tried_plan, tried_at, trial_ends_at, paid_at, case when paid_at is null then trial_ends_at else coalesce(moved_at, cancelled_at) end, null from moves where tried
union all
select n, currency, case when tried and tried_plan = 'team' then 'business' else 'team' end, moved_at, null, moved_at, null, case when tried then tried_plan else 'starter' end
from moves where moved_at is not null;

delete from plans where started_at > {{now}};

create table subscriptions as
select 's' || lpad(cast(row_number() over (order by started_at, n) as varchar), 5, '0') as subscription_id, 'u' || lpad(cast(n as varchar), 4, '0') as user_id, plan,
  case
    when ended_at <= {{now}} then 'ended'
    when plan <> 'free' and (paid_at is null or paid_at > {{now}}) and trial_ends_at <= {{now}} then 'ended'
    when plan <> 'free' and (paid_at is null or paid_at > {{now}}) then 'trialing'
    else 'active'
  end as status,
  started_at, trial_ends_at,
  case when paid_at <= {{now}} then paid_at end as paid_at,
  case when ended_at <= {{now}} then ended_at when (paid_at is null or paid_at > {{now}}) and trial_ends_at <= {{now}} then trial_ends_at end as ended_at,
  changed_from,
  cast(case plan when 'free' then 0 when 'starter' then 6 when 'team' then 24 else 79 end as decimal(10, 2)) as price, currency
from plans
order by started_at, n;

-- Boards against the plan's limit, measured at five each morning (UTC) of the last 40 days; business has no limit.
create table usage as
select 'u' || lpad(cast(m.n as varchar), 4, '0') as user_id, m.measured_at, 'boards' as metric,
  cast(least(m.plan_limit, m.boards) as integer) as used, cast(m.plan_limit as integer) as plan_limit, m.plan
from (
  select p.n, day.measured_at, s.plan, case s.plan when 'free' then 5 when 'starter' then 15 else 50 end as plan_limit,
    1 + floor(date_diff('hour', p.signed_up_at, day.measured_at) / 24.0 * (0.15 * pow(draw(p.n, 'boards a day'), 2)) * (1 + p.steps / 4.0)) as boards
  from people p
  join (select date_trunc('day', {{now}}) - to_days(cast(d as integer)) + to_hours(5) as measured_at from range(0, 40) as days_ago(d)) as day
    on day.measured_at > p.signed_up_at and day.measured_at <= {{now}}
  join plans s on s.n = p.n and s.plan <> 'business' and s.started_at <= day.measured_at and (s.ended_at is null or s.ended_at > day.measured_at)
  where p.steps > 0
) as m
order by m.measured_at, m.n;
