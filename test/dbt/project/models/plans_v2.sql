select 'free' as plan, 10 as boards
