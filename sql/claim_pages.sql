-- This run's claims in pages of so many bytes of properties, each page a range of places.
select min(place) as first_place, max(place) as last_place
from (
  select d.place, floor(sum(r.size) over (order by d.place rows unbounded preceding) / {{page_bytes}}) as page
  from {{work "decisions"}} d
  join {{work "segment_rows"}} r on r.segment = d.segment and r.user_id = d.user_id and r.item_key = d.item_key and r.dropped is null
  where d.event = 'claimed'
) sized
group by page
order by 1
