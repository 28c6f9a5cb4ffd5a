-- What one segment returns, each row judged by itself: dropped rows say why, the others carry the problems found in their columns.
insert into {{work "segment_rows"}} (segment, dropped, user_id, item_key, occurred_at, {{address_columns}}, timezone, locale, problems, properties, size, kept)
with segment_query as (
{{query}}
),
typed as {{once}}(
  select
    {{user_id}} as user_id,
    {{item_key}} as item_key,
    {{occurred_at}} as occurred_at,
    {{addresses}},
    {{timezone}} as timezone,
    {{locale}} as locale,
    {{problems}} as problems,
    {{properties}} as properties,
    {{kept}} as kept
  from segment_query
),
judged as {{once}}(
  select typed.*,
    case
      when user_id is null then 'null_user'
      when occurred_at is null then 'null_behaviour'
      when occurred_at > {{as_of}} then 'future_behaviour'
      when item_key is null then 'null_key'
      when {{bytes "user_id"}} > {{longest_id}} or {{bytes "item_key"}} > {{longest_id}} then 'long_id'
    end as unfit
  from typed
),
{{#if once}}
several as (          -- most users have one row: only those of others are sorted
  select user_id, item_key
  from judged
  where unfit is null
  group by user_id, item_key
  having count(*) > 1
),
{{/if}}
ordered as (
  -- Equal times: any one order will do, as long as it is the same in every run. A hash sorts rows of a megabyte in no memory.
  select judged.*, {{#if pages}}1{{else}}row_number() over (partition by judged.user_id, judged.item_key, unfit order by occurred_at desc, {{md5 "properties"}}, email){{/if}} as newest
  from judged
{{#if once}}
  join several on several.user_id = judged.user_id and several.item_key = judged.item_key
  union all
  select judged.*, 1
  from judged
  left join several on several.user_id = judged.user_id and several.item_key = judged.item_key
  where several.user_id is null
{{/if}}
)
select {{segment}}, case when unfit is not null then unfit when newest > 1 then 'duplicate' end,
  user_id, item_key, occurred_at, {{address_columns}}, timezone, locale, problems, properties, {{bytes "properties"}}, kept
from ordered
