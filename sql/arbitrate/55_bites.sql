-- Reads: the reasons that are asked of each candidate alone.
-- Gives: bites, a row for each candidate and reason that stops it.

{{#table "bites" kept="message_id, place, reason"}}
-- a reason that takes the place of another comes right before it: places are doubled
{{#each asked}}
{{#unless @first}}
union all
{{/unless}}
{{> bite}}
{{/each}}
{{/table}}
