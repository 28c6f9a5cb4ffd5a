-- Plainfold, a planner app with a shop for paper goods, as of {{now}}: who signed up over the last 210 days.
-- Made by arithmetic over hashes, so that it is the same each time; what users go on to do follows from their traits in `people`.

-- A number in [0, 1) that depends on who is asked and on the question alone.
create temp macro draw(who, question) as (md5_number_lower(question || ' ' || who) % 1000000) / 1000000.0;

-- People sleep: a moment between 7:00 and 22:30 of that day, where the clock is so many hours ahead of UTC.
create temp macro awake(moment, hours_ahead, luck) as
  date_trunc('day', moment + to_hours(hours_ahead)) + to_seconds(cast(25200 + 55800 * luck as bigint)) - to_hours(hours_ahead);

create temp table people as
select n, zone.name as timezone, zone.hours_ahead, zone.locale, zone.currency,
  list_extract(['Ada', 'Ben', 'Chiara', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jun', 'Kofi', 'Lena', 'Mateo', 'Nora', 'Omar', 'Priya', 'Rosa', 'Sven', 'Tamsin', 'Yuki'],
    1 + cast(floor(20 * draw(n, 'first name')) as integer)) as first_name,
  awake({{now}} - to_seconds(cast(210 * 86400 * draw(n, 'signed up') as bigint)), zone.hours_ahead, draw(n, 'signed up at')) as signed_up_at,
  -- How many of the four steps of the set-up they ever complete: half of the users stall before the last.
  case when draw(n, 'set up') < 0.14 then 0 when draw(n, 'set up') < 0.27 then 1 when draw(n, 'set up') < 0.39 then 2 when draw(n, 'set up') < 0.48 then 3 else 4 end as steps,
  -- Days a week with the app, once it is set up; some use it ever less, some stop.
  1 + 3.5 * draw(n, 'days a week') as days_a_week,
  case when draw(n, 'slows') < 0.2 then cast(14 + 170 * draw(n, 'slows after') as integer) end as slows_after,
  case when draw(n, 'stops') < 0.35 then cast(6 + 190 * draw(n, 'stops after') as integer) end as stops_after,
  -- Carts in 150 days: four in ten never shop, a few are always there.
  case when draw(n, 'shops') < 0.4 then 0 else 1 + 22 * pow(draw(n, 'shops how often'), 3) end as carts
from range(1, 6001) as numbers(n)
join (
  select * from (values
    (0, 'America/New_York', -5, 'en-US', 'USD'), (1, 'America/Los_Angeles', -8, 'en-US', 'USD'), (2, 'Europe/London', 0, 'en-GB', 'GBP'),
    (3, 'Europe/Berlin', 1, 'de-DE', 'EUR'), (4, 'Europe/Madrid', 1, 'es-ES', 'EUR'), (5, 'Australia/Sydney', 11, 'en-AU', 'USD'),
    (6, 'Asia/Tokyo', 9, 'en-US', 'USD'), (7, 'America/Sao_Paulo', -3, null, 'USD'), (8, null, 1, 'en-GB', 'EUR'), (9, 'Europe/Dublin', 0, 'en-IE', 'EUR')
  ) as zones(place, name, hours_ahead, locale, currency)
) as zone on zone.place = cast(floor(10 * draw(n, 'zone')) as integer);

delete from people where signed_up_at > {{now}};

create table users as
select 'u' || lpad(cast(n as varchar), 4, '0') as user_id,
  -- One address in 250 is none, one in 300 is shared with whoever signed up just before, and a few are the company's own.
  case
    when n % 1000 = 405 then lower(first_name) || '@plainfold.example'
    when n % 250 = 17 then 'no-address'
    when n % 1000 = 642 then null
    when n % 300 = 54 then 'household.' || cast(n as varchar) || '@example.com'
    when n % 300 = 55 then 'Household.' || cast(n - 1 as varchar) || '@example.com'
    else lower(first_name) || '.' || cast(n as varchar) || '@example.com'
  end as email,
  first_name, timezone, locale, signed_up_at,
  'https://app.plainfold.example/start?user=u' || lpad(cast(n as varchar), 4, '0') as start_url
from people
order by n;
