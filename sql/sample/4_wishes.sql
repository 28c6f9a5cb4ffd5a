-- What stands between users and messages: open tickets, consents, and what the ledger knows of their wishes and addresses.
create table tickets as
with opened as (
  select p.n, number, greatest(p.signed_up_at, {{now}} - to_seconds(cast(86400 * 90 * draw(p.n * 10 + number, 'opens') as bigint))) as opened_at,
    case when draw(p.n * 10 + number, 'takes long') < 0.4 then 86400 * (1 + 8 * draw(p.n * 10 + number, 'takes')) else 3600 * (1 + 20 * draw(p.n * 10 + number, 'takes')) end as takes
  from people p
  -- Who buys much asks more.
  join range(0, 3) as tickets_of(number) on draw(p.n * 10 + number, 'asks') < case when p.carts > 8 then 0.3 else 0.04 end
)
select 't' || lpad(cast(n * 10 + number as varchar), 5, '0') as ticket_id, 'u' || lpad(cast(n as varchar), 4, '0') as user_id,
  list_extract(['Parcel has not arrived', 'Calendar import stops half way', 'Invoice with the wrong address', 'Sharing a board with two teams', 'A damaged notebook'],
    1 + cast(floor(5 * draw(n * 10 + number, 'about')) as integer)) as subject,
  opened_at, case when opened_at + to_seconds(cast(takes as bigint)) <= {{now}} then opened_at + to_seconds(cast(takes as bigint)) end as closed_at
from opened
order by opened_at, n;

-- Nine in ten agreed to marketing email when they signed up; one in twenty took it back.
create table consents as
select 'u' || lpad(cast(n as varchar), 4, '0') as user_id, signed_up_at as granted_at,
  case when draw(n, 'withdraws') < 0.05 and signed_up_at + to_days(1 + cast(150 * draw(n, 'withdraws at') as integer)) <= {{now}}
    then signed_up_at + to_days(1 + cast(150 * draw(n, 'withdraws at') as integer)) end as withdrawn_at
from people
where draw(n, 'consents') < 0.9
order by n;

insert into {{ledger "preferences"}} (user_id, channel, topic, opted_in, recorded_at, seq)
select 'u' || lpad(cast(n as varchar), 4, '0'), case when draw(n, 'opts out of') < 0.3 then 'email' end,
  case when draw(n, 'opts out of') >= 0.3 then list_extract(['carts', 'onboarding', 'plans', 'tips'], 1 + cast(n % 4 as integer)) end, false, signed_up_at, row_number() over (order by n)
from people
where draw(n, 'opts out') < 0.04;

insert into {{ledger "suppressions"}} (channel, address, topic, reason, recorded_at)
select 'email', lower(email), null, case when draw(user_id, 'bounces') < 0.008 then 'bounce' else 'complaint' end, signed_up_at
from users
where draw(user_id, 'bounces') < 0.01 and email like '%@%';
