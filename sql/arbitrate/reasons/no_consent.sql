-- Reads: the candidates, and the members of required audiences.
-- Gives: message_id, rule, detail of those that it stops.

{{#table "no_consent"}}
select message_id, rule, {{json "audience" "rule"}} as detail
from (
  select c.message_id, u.audience as rule, row_number() over (partition by c.message_id order by u.place) as place
  from {{the "candidates"}} c
  join {{the "audience_use"}} u on u.segment = c.segment and u.role = 'require'
  left join {{work "audience_members"}} m on m.audience = u.audience and m.user_id = c.user_id and (m.timeless = 1 or m.reached_at is not null)
  where m.user_id is null
) x
where place = 1
{{/table}}
