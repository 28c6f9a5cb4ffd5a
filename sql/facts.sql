-- What a command must know of the ledger before it writes: rows of fact, name and content. A run asks more than other commands.
select 'meta' as fact, name, content from {{ledger "meta"}}
union all
select 'lease', holder, {{iso_text "expires_at"}} from {{ledger "leases"}} where name = 'run'
union all
select 'fence', {{iso_text clock}}, cast(fence as {{types.text}}) from {{ledger "leases"}} where name = 'run'
{{#if run}}
union all
select 'last_as_of', {{null_text}}, {{iso_text "max(as_of)"}} from {{ledger "runs"}} where status not in ('forgotten', 'forget') and {{run.heeded}}
union all
select 'forgotten', run_id, {{iso_text "as_of"}} from {{ledger "runs"}} where status in ('forgotten', 'forget')
union all
select 'unfinished', {{null_text}}, cast(count(*) as {{types.text}}) from {{ledger "runs"}} where status = 'running'
union all
-- Of a run that was cut off nothing is counted.
select 'troubled', {{null_text}}, cast(count(*) as {{types.text}}) from {{ledger "runs"}}
where {{run.heeded}} and as_of >= {{run.recently}} and coalesce(failed, 1) + coalesce(in_doubt, 1) + coalesce(released, 1) > 0
union all
select 'doubted_from', {{null_text}}, {{iso_text "min(as_of)"}} from {{ledger "runs"}}
where {{run.of_kind}} and (in_doubt > 0 or status in ('running', 'interrupted', 'forget'))
union all
select 'pause', {{null_text}}, {{json "scope" "scope" "name" "name" "kind" "kind" "until" "until" "note" "note"}}
from (
  {{> standing_pauses run.pauses}}
) p
{{#if run.templates}}
union all
select 'template', template_version, {{null_text}} from {{ledger "templates_sent"}} where template_version in {{run.templates}}
{{/if}}
{{#if run.segments}}
union all
{{> last_segment_runs run.segments}}
{{/if}}
{{/if}}
