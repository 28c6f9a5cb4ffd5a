-- What is paused at a time: the last row of each scope, name and kind holds. A row of no kind is from before there were two.
select scope, name, kind, {{iso_text "until"}} as until, note
from (
  select scope, name, kind, paused, until, note, row_number() over (partition by scope, name, kind order by seq desc) as newest
  from (
    select scope, name, coalesce(kind, 'operator') as kind, paused, until, note, seq
    from {{ledger "pauses"}}
    where {{heeded}}
  ) words
) latest
where newest = 1 and paused = true and (until is null or until > {{at}})
