select 1 as user_id, 'retired' as x
