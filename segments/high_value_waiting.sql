/*---
description: One of our best customers has waited a day for an answer from support
because: You asked our support team a question.
status: live
signal: recency
class: transactional        # about their own question, and without an offer: it asks no marketing consent and holds nobody out
priority: 85
key: ticket_id
repeat: never
goal: ticket_closed
channel: email
template: high_value_waiting
after: 24 hours
within: 48 hours
columns:
  ticket_subject: {required: true}
---*/
-- The one segment without `exclude: [open_tickets]`, which is why that stands in each of the others and not in opportune.yml: from
-- all others, who waits for support hears nothing, however large the cart.
-- Why then: most questions are answered within a day, and a note about one that was is noise. A day later is also the hour at which
-- they wrote, so nobody is woken. After three days a person should have written, not we.
select u.user_id, u.email, u.timezone, u.locale, t.opened_at as occurred_at, u.first_name, t.ticket_id, t.subject as ticket_subject
from {{source "tickets"}} t
join {{audience "high_value"}} best on best.user_id = t.user_id
join {{source "users"}} u on u.user_id = t.user_id
where t.opened_at > {{ago "5 days"}} and t.opened_at <= {{as_of}} and (t.closed_at is null or t.closed_at > {{as_of}})
