-- One row of a segment as it was staged, with what its template needs: the user asked for, else the first by user and key.
select r.user_id, r.item_key, {{iso "r.occurred_at"}} as occurred_at, {{address_columns of="r."}}, r.timezone, r.locale, r.properties, r.problems
from {{work "segment_rows"}} r
where r.segment = {{segment}} and r.dropped is null and ({{user_id}} is null or r.user_id = {{canonical_user user_id}})
order by r.user_id, r.item_key
limit 1
