-- Each user's story in words: filter by user_id, order by seq. The words are those of src/arbitration/reasons.ts and reasons/outcomes.ts.
create or replace view {{ledger "why"}} as
select user_id, seq, decided_at, recorded_at, segment, step, item_key, occurred_at, due_at, expires_at, event, reason, rule, channel, message_id, run_id, detail,
  case event
{{#each outcomes}}
    when '{{event}}' then {{words}}
{{/each}}
    else case reason
{{#each reasons}}
      when '{{name}}' then {{words}}
{{/each}}
      else reason
    end
  end as explanation, coalesce(trial, false) as trial
from {{ledger "sent_ledger"}}
