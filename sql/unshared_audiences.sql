-- Audiences not one of whose users is in a row of any segment, though there are {{least}} of both: ids of another kind, as a rule.
with users as (
  select user_id from {{work "segment_rows"}} where dropped is null group by user_id
)
select m.audience as audience
from {{work "audience_members"}} m
left join users r on r.user_id = m.user_id
where (select count(*) from users) >= {{least}}
group by m.audience
having count(*) >= {{least}} and count(r.user_id) = 0
order by m.audience
