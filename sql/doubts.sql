-- Messages in doubt, the oldest first: handed over, and nobody knows whether the provider took them.
with {{> open_claims}}
select message_id, user_id, segment, step, item_key, channel, address, run_id, {{iso "since"}} as since, why, told
from open_claims
order by since, message_id
