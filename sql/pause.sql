-- Says something of a pause, under the number that was taken for it.
insert into {{ledger "pauses"}} (scope, name, kind, paused, until, note, recorded_at, trial, seq)
select {{scope}}, {{name}}, {{kind}}, {{paused}}, {{until}}, {{note}}, {{recorded_at}}, {{trial}}, fence from {{ledger "leases"}} where name = 'pauses'
