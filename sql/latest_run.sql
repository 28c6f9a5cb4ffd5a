-- When the latest run decided.
select {{iso "max(as_of)"}} as as_of from {{ledger "runs"}} r where status <> 'forgotten' and {{heeded}}
