-- Which alerts have been given and are not over, apart from what the ledger knows of itself: the job's role changes this alone.
create table if not exists {{ledger "alerts"}} (
  name {{types.text}} not null,               -- alerts, alerts_of_trials
  content {{types.text}} not null             -- JSON: what an alert is about, and since when
);

{{#insert_missing "alerts" columns="name, content" key="name"}}
select n.name, coalesce(m.content, '{}') as content
from (select 'alerts' as name union all select 'alerts_of_trials') n
left join {{ledger "meta"}} m on m.name = n.name
{{/insert_missing}};

delete from {{ledger "meta"}} where name in ('alerts', 'alerts_of_trials');
