select user_id from {{source "staff"}}
