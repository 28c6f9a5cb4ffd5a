-- A small shop as of {{now}}: 60 users, carts left in the last three days, orders, sign-ups, tickets. The same shop each time.
create table users as
select 'u' || lpad(cast(n as varchar), 3, '0') as user_id,
  case n when 17 then 'no-address' else lower(first_name) || '.' || cast(n as varchar) || '@example.com' end as email,
  first_name,
  case n % 7 when 0 then 'Europe/Berlin' when 1 then 'America/New_York' when 2 then 'Asia/Tokyo' when 3 then 'Europe/London' when 4 then null when 5 then 'Australia/Sydney' else 'America/Sao_Paulo' end as timezone,
  case n % 3 when 0 then 'en-US' when 1 then 'en-GB' end as locale,
  case n % 4 when 0 then 'growth' when 1 then null else 'starter' end as plan_name,
  {{plus_seconds now "-3600 * (n * n % 900)"}} as signed_up_at,
  'https://shop.example.com/start?user=u' || lpad(cast(n as varchar), 3, '0') as start_url
from (
  select range as n, ['Ada', 'Ben', 'Chiara', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jun', 'Kofi', 'Lena'][range % 12 + 1] as first_name
  from range(1, 61)
);

create table carts as
select 'c' || cast(1000 + n as varchar) as cart_id,
  'u' || lpad(cast(n * 7 % 60 + 1 as varchar), 3, '0') as user_id,
  {{plus_seconds now "-60 * (5 + n * 131 % 4320)"}} as updated_at,
  items,
  cast(list_sum(list_transform(items, lambda item: item.quantity)) as integer) as item_count,
  cast(list_sum(list_transform(items, lambda item: item.price * item.quantity)) as decimal(10, 2)) as total,
  'EUR' as currency,
  'https://shop.example.com/cart/c' || cast(1000 + n as varchar) as cart_url
from (
  select range as n,
    list_slice([
      {'name': 'Enamel mug', 'quantity': range % 3 + 1, 'price': cast(14.5 as decimal(10, 2))},
      {'name': 'Wool blanket', 'quantity': 1, 'price': cast(89 as decimal(10, 2))},
      {'name': 'Beeswax candle', 'quantity': range % 2 + 1, 'price': cast(9.9 as decimal(10, 2))}
    ], 1, range % 3 + 1) as items
  from range(40)
);

-- Every third cart was paid for, half an hour after it was last touched.
create table orders as
select 'o' || substr(cart_id, 2) as order_id, user_id, cart_id, {{plus_seconds "updated_at" "1800"}} as ordered_at, total, currency
from carts
where cast(substr(cart_id, 2) as integer) % 3 = 0 and {{plus_seconds "updated_at" "1800"}} <= {{now}};

-- What users did after they had signed up; most of the newest did nothing yet.
create table activity as
select user_id, {{plus_seconds "signed_up_at" "5400"}} as occurred_at, 'project_created' as action
from users
where cast(substr(user_id, 2) as integer) % 5 <> 0 and {{plus_seconds "signed_up_at" "5400"}} <= {{now}};

create table tickets as
select 't' || substr(user_id, 2) as ticket_id, user_id, {{plus_seconds now "-7200"}} as opened_at, cast(null as timestamp) as closed_at
from users
where cast(substr(user_id, 2) as integer) % 20 = 8;
