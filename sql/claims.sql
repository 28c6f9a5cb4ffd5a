-- This run's claims with what their templates need, in the order of the line. What a step says of all its messages stays out.
select d.place, d.message_id, d.segment, d.step, d.variant, d.user_id, d.item_key, {{iso "d.occurred_at"}} as occurred_at, {{microseconds "d.send_by"}} / 1000 as send_by_ms,
  {{microseconds "d.due_at"}} / 1000 as due_ms,
  trim(case d.channel {{channels}} else d.user_id end, ' ') as send_to, r.timezone, r.locale, r.properties
from {{work "decisions"}} d
join {{work "segment_rows"}} r on r.segment = d.segment and r.user_id = d.user_id and r.item_key = d.item_key and r.dropped is null
where d.event = 'claimed' {{#if page}}and d.place between {{page.first}} and {{page.last}}{{/if}}
{{#if by_row}}  -- Which rows they are is found first, without their properties.
  and r.rowid in (
    select n.rowid
    from {{work "decisions"}} c
    join {{work "segment_rows"}} n on n.segment = c.segment and n.user_id = c.user_id and n.item_key = c.item_key and n.dropped is null
    where c.event = 'claimed' and c.place between {{page.first}} and {{page.last}}
  )
{{/if}}order by d.place
