select segment, user_id, item_key from {{past}} where event in ('waiting', 'released')
union all
select r.segment, r.user_id, r.item_key
from {{past}} r
join {{the "segments"}} s on s.segment = r.segment
join {{work "audience_members"}} m on m.audience = s.goal and m.user_id = r.user_id
