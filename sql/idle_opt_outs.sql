-- Kinds of rows in suppressions and preferences that can match nobody as the project stands, and how many there are of each: under a
-- name that it doesn't have, or of an address or user id that no row of a segment can have.
select is_of, why, called, count(*) as n
from (
  select is_of, why, case why when 'channel' then channel when 'topic' then topic else '' end as called
  from (
    select 'suppressions' as is_of, channel, topic, case
      when channel is null or channel not in {{channels}} then 'channel'
      when topic is not null and topic not in {{topics}} then 'topic'
      when {{wrong_address}} then 'address'
    end as why
    from (select {{canonical_name "channel"}} as channel, {{canonical_name "topic"}} as topic, address from {{ledger "suppressions"}} where {{heeded}}) words
    union all
    select 'preferences' as is_of, channel, topic, case
      when channel is not null and channel not in {{channels}} then 'channel'
      when topic is not null and topic not in {{topics}} then 'topic'
      when {{nobody}} then 'user'
    end as why
    from (select {{canonical_name "channel"}} as channel, {{canonical_name "topic"}} as topic, user_id from {{ledger "preferences"}} where {{heeded}}) words
  ) found
  where why is not null
) named
group by is_of, why, called
order by n desc, is_of, why, called
limit {{most}}
