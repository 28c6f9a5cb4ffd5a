select message_id, {{doubled}} as place, '{{name}}' as reason, rule, detail from {{the name}}
{{#if instead_of}}
union all
select b.message_id, {{instead_of.place}}, '{{name}}', b.rule, b.detail from {{the name}} b join {{the instead_of.name}} o on o.message_id = b.message_id
{{/if}}