-- The shop for paper goods: carts, the orders that most of them become, and each user's code for a discount.
create table products as
select 'p' || lpad(cast(place as varchar), 2, '0') as product_id, name, category, cast(price as decimal(10, 2)) as price, 'EUR' as currency,
  'https://shop.plainfold.example/p' || lpad(cast(place as varchar), 2, '0') as product_url
from (values
  (1, 'Dotted notebook A5', 'notebooks', 14.5), (2, 'Ruled notebook A5', 'notebooks', 14.5), (3, 'Pocket notebook', 'notebooks', 8.9), (4, 'Project notebook A4', 'notebooks', 19.9),
  (5, 'Weekly planner', 'planners', 24), (6, 'Daily planner', 'planners', 32), (7, 'Wall calendar', 'planners', 18.5), (8, 'Undated planner', 'planners', 22),
  (9, 'Rollerball pen', 'pens', 12.9), (10, 'Fineliner set', 'pens', 16.5), (11, 'Brush pens', 'pens', 21), (12, 'Mechanical pencil', 'pens', 9.5),
  (13, 'Letter paper', 'letters', 11), (14, 'Envelopes', 'letters', 7.5), (15, 'Postcards', 'letters', 6.9), (16, 'Wax seal', 'letters', 17),
  (17, 'Desk mat', 'desk', 38), (18, 'Pen tray', 'desk', 26.5), (19, 'Page flags', 'desk', 4.9), (20, 'Washi tape', 'desk', 5.5)
) as goods(place, name, category, price);

create temp table baskets as
with visits as (
  -- As many as in their traits in 150 days, spread over the time since they signed up.
  select p.n, p.hours_ahead, p.currency, p.signed_up_at, visit, greatest(1, round(p.carts * days / 150)) as visits, days
  from (select *, date_diff('second', signed_up_at, {{now}}) / 86400.0 as days from people where carts > 0) as p
  join range(1, 40) as numbered(visit) on visit <= greatest(1, round(p.carts * days / 150))
)
select n, visit, currency,
  greatest(awake(signed_up_at + to_seconds(cast(86400 * days * (visit - 1 + draw(n * 100 + visit, 'visit')) / visits as bigint)), hours_ahead, draw(n * 100 + visit, 'visit at')),
    signed_up_at + to_minutes(cast(20 + 100 * draw(n * 100 + visit, 'at once') as integer))) as updated_at
from visits;

delete from baskets where updated_at > {{now}};

create temp table basket_items as
select b.n, b.visit, item, p.product_id, p.name, p.price, 1 + cast(floor(pow(draw(b.n * 1000 + b.visit * 10 + item, 'quantity'), 4) * 4) as integer) as quantity
from baskets b
join range(0, 3) as items_of(item) on draw(b.n * 100 + b.visit, 'items') >= 0.35 * item
-- People have a category of their own, and look into the next one.
join products p on p.product_id = 'p' || lpad(cast(1 + (4 * (b.n % 5) + 3 * item + cast(floor(4 * draw(b.n * 100 + b.visit, 'product')) as integer)) % 20 as varchar), 2, '0');

create table carts as
select 'c' || lpad(cast(b.n * 40 + b.visit as varchar), 6, '0') as cart_id, 'u' || lpad(cast(b.n as varchar), 4, '0') as user_id, b.updated_at,
  i.items, i.item_count, i.total, b.currency,
  'https://shop.plainfold.example/cart/c' || lpad(cast(b.n * 40 + b.visit as varchar), 6, '0') as cart_url
from baskets b
join (
  select n, visit, list({'name': name, 'quantity': quantity, 'price': price} order by item) as items,
    cast(sum(quantity) as integer) as item_count, cast(sum(quantity * price) as decimal(10, 2)) as total
  from basket_items
  group by n, visit
) as i on i.n = b.n and i.visit = b.visit
order by b.updated_at, b.n;

-- Of the first carts a third is paid for at once, of the later ones two thirds; one in ten a day or so after.
create temp table bought as
select n, visit, currency, updated_at + to_seconds(cast(60 * case
    when draw(n * 100 + visit, 'buys') < case visit when 1 then 0.35 else 0.65 end then 3 + 30 * draw(n * 100 + visit, 'pays after')
    else 120 + 2400 * draw(n * 100 + visit, 'pays after')
  end as bigint)) as ordered_at
from baskets
where draw(n * 100 + visit, 'buys') < case visit when 1 then 0.45 else 0.75 end;

delete from bought where ordered_at > {{now}};

create table orders as
select 'o' || lpad(cast(b.n * 40 + b.visit as varchar), 6, '0') as order_id, c.user_id, c.cart_id, b.ordered_at, c.total, c.currency
from bought b
join carts c on c.cart_id = 'c' || lpad(cast(b.n * 40 + b.visit as varchar), 6, '0')
order by b.ordered_at, b.n;

create table order_items as
select 'o' || lpad(cast(i.n * 40 + i.visit as varchar), 6, '0') as order_id, i.product_id, i.quantity, i.price
from basket_items i
join bought b on b.n = i.n and b.visit = i.visit
order by b.ordered_at, i.n, i.item;

-- One for each user, not used yet, good for four weeks or more.
create table discount_codes as
select 'PLAIN-' || upper(substr(md5('code ' || n), 1, 6)) as code, 'u' || lpad(cast(n as varchar), 4, '0') as user_id,
  cast(case when n % 4 = 0 then 15 else 10 end as integer) as percent, date_trunc('day', {{now}}) + to_days(28 + cast(n % 14 as integer)) as expires_at
from people
order by n;
