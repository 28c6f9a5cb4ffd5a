select user_id, ordered_at as occurred_at from {{source "orders"}} where ordered_at > {{ago "14 days"}}
