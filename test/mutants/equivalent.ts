/** Mutants that no decision can tell from the file, by the names that `test:mutants` gives them, and why. */
export const EQUIVALENT: readonly { because: string; mutants: readonly string[] }[] = [
  {
    because: "The bound only keeps the ledger's older days from being read: they decide nothing.",
    mutants: [
      "arbitrate/20_ledger.sql recent: left out: l.decided_at >= {{history_from}} => true",
      "arbitrate/40_candidates.sql had_before: left out: l.decided_at >= {{had_before_from}} => true",
      "arbitrate/40_candidates.sql had_before: shifted: >= => >",
      "arbitrate/50_facts.sql counting_claims: left out: decided_at > {{caps_from}} => true",
      "arbitrate/50_facts.sql counting_claims: shifted: > => >=",
    ],
  },
  {
    because: "Rows that count nothing change no sum, and a group of them alone has the sum 0.",
    mutants: [
      "arbitrate/40_candidates.sql had_before: left out: l.counts <> 0 => true #2",
      "arbitrate/50_facts.sql counting_claims: left out: abs(counts) = 1 => true",
      "arbitrate/50_facts.sql counting_claims: left out: event not in ('sending', 'accepted', 'in_doubt') => true",
      "arbitrate/50_facts.sql counting_claims: left out: 'sending', => nothing",
      "arbitrate/50_facts.sql counting_claims: left out: , 'accepted' => nothing",
      "arbitrate/50_facts.sql counting_claims: left out: , 'in_doubt' => nothing",
    ],
  },
  {
    because: "All rows of one claim say the same of it; the address stands on one of them alone.",
    mutants: [
      "arbitrate/50_facts.sql counting_claims: shifted: max => min",
      "arbitrate/50_facts.sql counting_claims: shifted: max => min #2",
      "arbitrate/50_facts.sql counting_claims: shifted: max => min #3",
      "arbitrate/50_facts.sql counting_claims: shifted: max => min #4",
      "arbitrate/50_facts.sql counting_claims: shifted: min => max",
    ],
  },
  {
    because: "Claims of others fill caps that no candidate is held against.",
    mutants: [
      `arbitrate/50_facts.sql cap_use: left out: exists (select 1 from {{the "candidates"}} x where x.user_id = c.user_id) => true`,
      `arbitrate/50_facts.sql cap_use: left out: exists (select 1 from {{the "candidates"}} x where x.address = c.address) => true`,
    ],
  },
  {
    because: "The steps of one row have one standing and one last journey; a journey of one step has no later one.",
    mutants: [
      "arbitrate/reasons/superseded.sql later_steps: shifted: max => min",
      "arbitrate/reasons/superseded.sql later_steps: shifted: max => min #3",
      "arbitrate/reasons/superseded.sql later_steps: shifted: > => >=",
      "arbitrate/reasons/superseded.sql later_steps: left out: standing <> 'fresh' => true #2",
    ],
  },
  {
    because: "A fresh behaviour is later than the last claim, and no claim comes before its due time.",
    mutants: ["arbitrate/reasons/superseded.sql later_steps: left out: standing <> 'fresh' => true"],
  },
  {
    because: "Every step, offset and row is of a segment that is there; what has none has no key that anything is looked up by.",
    mutants: [
      "arbitrate/10_project.sql plan: joined otherwise: join => left join",
      "arbitrate/20_ledger.sql recent: joined otherwise: join => left join",
      "arbitrate/20_ledger.sql open_rows: joined otherwise: join => left join",
      "arbitrate/20_ledger.sql open_rows: joined otherwise: join => left join #2",
    ],
  },
  {
    because: "More rows are asked about than can have something to say; what has nothing to say gets no row of the ledger.",
    mutants: [
      "arbitrate/20_ledger.sql open_rows: left out: s.segment = r.segment => true",
      "arbitrate/20_ledger.sql open_rows: left out: (s.backfill or r.occurred_at <= s.due_until) => true",
      "arbitrate/20_ledger.sql open_rows: joined otherwise: and => or",
      "arbitrate/20_ledger.sql open_rows: left out: (s.backfill or x.step is null) => true",
      "arbitrate/20_ledger.sql open_rows: joined otherwise: and => or #2",
      "arbitrate/20_ledger.sql open_rows: left out: r.segment = a.segment => true",
      "arbitrate/20_ledger.sql open_rows: left out: r.user_id = a.user_id => true",
      "arbitrate/20_ledger.sql open_rows: left out: r.item_key = a.item_key => true",
      "arbitrate/20_ledger.sql open_rows: left out: r.occurred_at <> a.occurred_at => true",
      "arbitrate/20_ledger.sql open_rows: joined otherwise: and => or #3",
    ],
  },
  {
    because: "Rows that staging dropped are left out again where their steps become candidates.",
    mutants: [
      "arbitrate/20_ledger.sql open_rows: left out: r.dropped is null => true",
      "arbitrate/20_ledger.sql open_rows: left out: r.dropped is null => true #2",
    ],
  },
  {
    because: "A row whose other behaviour was answered is open by the second part.",
    mutants: ["arbitrate/20_ledger.sql open_rows: left out: x.occurred_at = r.occurred_at => true"],
  },
  {
    because: "A behaviour that a backfill brings in was due by the segment's beginning.",
    mutants: ["arbitrate/20_ledger.sql open_rows: left out: s.backfill => false", "arbitrate/20_ledger.sql open_rows: negated: s.backfill => not (s.backfill)"],
  },
  {
    because: "The rows of delivery settle nothing, and none is the last of a claim that was taken back.",
    mutants: [
      "arbitrate/20_ledger.sql recent: left out: 'sending', => nothing",
      "arbitrate/20_ledger.sql recent: left out: , 'accepted' => nothing",
      "arbitrate/20_ledger.sql recent: left out: , 'in_doubt' => nothing",
    ],
  },
  {
    because: "A behaviour is backfilled once.",
    mutants: ["arbitrate/20_ledger.sql backfills: shifted: max => min", "arbitrate/20_ledger.sql backfills: shifted: max => min #2"],
  },
  {
    because: "A failed message stays settled until it is offered again, and then its release is the last row.",
    mutants: ["arbitrate/20_ledger.sql answered: left out: event <> 'failed' => true"],
  },
  {
    because: "The first branch has taken what has neither, so that the two conditions exclude one another.",
    mutants: [
      "arbitrate/reasons/opted_out.sql opted_out: swapped: when w.topic is null then 2 when w.channel is null then 3 => when w.channel is null then 3 when w.topic is null then 2",
    ],
  },
];
