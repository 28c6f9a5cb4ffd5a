-- Who agreed to marketing mail when they signed up; two of them took it back.
create table consents as
select user_id, signed_up_at as granted_at,
  cast(case when cast(substr(user_id, 2) as integer) % 29 = 3 then {{plus_seconds now "-86400"}} end as timestamp) as withdrawn_at
from users
where cast(substr(user_id, 2) as integer) % 9 <> 0;
