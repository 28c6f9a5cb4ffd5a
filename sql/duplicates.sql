-- Of a segment's rows of one user and item the newest stays, and the others are dropped. Most users have one row: the wide columns are
-- read only where there are several.
update {{work "segment_rows"}} set dropped = 'duplicate'
where rowid in (
  select row_id
  from (
    select rowid as row_id, row_number() over (partition by user_id, item_key order by occurred_at desc, {{md5 "properties"}}, email) as newest
    from {{work "segment_rows"}}
    where rowid in (
      select r.rowid
      from {{work "segment_rows"}} r
      join (
        select user_id, item_key
        from {{work "segment_rows"}}
        where segment = {{segment}} and dropped is null
        group by user_id, item_key
        having count(*) > 1
      ) several on several.user_id = r.user_id and several.item_key = r.item_key
      where r.segment = {{segment}} and r.dropped is null
    )
  ) ordered
  where newest > 1
)
