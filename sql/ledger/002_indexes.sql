-- `pause` and `resume` count for themselves: they need no run's lease.
{{#insert_missing "leases" columns="name, holder, fence, expires_at" key="name"}}
select 'pauses' as name, {{null_text}} as holder, coalesce(max(seq), 0) as fence, {{null_timestamp}} as expires_at from {{ledger "pauses"}}
{{/insert_missing}};

{{#if is_postgres}}
-- Look-backs are bounded by decided_at, and the ledger grows in its order (and in that of seq): a few pages of index.
create index on {{ledger "sent_ledger"}} using brin (decided_at, seq);

-- `repeat: never` asks all history: who had a message of the segment before? Only rows that count, about one in three.
create index on {{ledger "sent_ledger"}} (segment, user_id, item_key) include (counts) where counts <> 0;
{{/if}}
