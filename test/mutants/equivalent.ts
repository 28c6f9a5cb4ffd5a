/** Mutants that no decision can tell from the file, by the names that `test:mutants` gives them, and why. */
export const EQUIVALENT: readonly { because: string; mutants: readonly string[] }[] = [
  {
    because: "The bound only keeps the ledger's older days from being read: they decide nothing.",
    mutants: [
      "arbitrate.sql recent: left out: l.decided_at >= {{history_from}} => true",
      "arbitrate.sql recent: left out: l.decided_at >= s.history_from => true",
      "arbitrate.sql had_before: left out: l.decided_at >= {{had_before_from}} => true",
      "arbitrate.sql had_before: shifted: >= => >",
      "arbitrate.sql counting_claims: left out: decided_at > {{caps_from}} => true",
      "arbitrate.sql counting_claims: shifted: > => >=",
    ],
  },
  {
    because: "Rows that count nothing change no sum, and a group of them alone has the sum 0.",
    mutants: [
      "arbitrate.sql had_before: left out: l.counts <> 0 => true #2",
      "arbitrate.sql counting_claims: left out: abs(counts) = 1 => true",
      "arbitrate.sql counting_claims: left out: event not in ('sending', 'accepted', 'in_doubt') => true",
      "arbitrate.sql counting_claims: left out: 'sending', => nothing",
      "arbitrate.sql counting_claims: left out: , 'accepted' => nothing",
      "arbitrate.sql counting_claims: left out: , 'in_doubt' => nothing",
    ],
  },
  {
    because: "All rows of one claim say the same of it; the address stands on one of them alone.",
    mutants: [
      "arbitrate.sql counting_claims: shifted: max => min",
      "arbitrate.sql counting_claims: shifted: max => min #2",
      "arbitrate.sql counting_claims: shifted: max => min #3",
      "arbitrate.sql counting_claims: shifted: max => min #4",
      "arbitrate.sql counting_claims: shifted: min => max",
    ],
  },
  {
    because: "Claims of others fill caps that no candidate is held against.",
    mutants: [
      "arbitrate.sql cap_use: left out: exists (select 1 from candidates x where x.user_id = c.user_id) => true",
      "arbitrate.sql cap_use: left out: exists (select 1 from candidates x where x.address = c.address) => true",
    ],
  },
  {
    because: "The steps of one row have one standing and one last journey; a journey of one step has no later one.",
    mutants: [
      "arbitrate.sql later_steps: shifted: max => min",
      "arbitrate.sql later_steps: shifted: max => min #3",
      "arbitrate.sql later_steps: shifted: > => >=",
      "arbitrate.sql later_steps: left out: standing <> 'fresh' => true #2",
    ],
  },
  {
    because: "The steps of a segment share its audiences: what stops the later step stops the earlier one before it could be superseded.",
    mutants: [
      "arbitrate.sql later_steps: left out: , audience_failed => nothing",
      "arbitrate.sql later_steps: left out: , converted => nothing",
      "arbitrate.sql later_steps: left out: , excluded => nothing",
      "arbitrate.sql later_steps: left out: , no_consent => nothing",
    ],
  },
  {
    because: "A fresh behaviour is later than the last claim, and no claim comes before its due time.",
    mutants: ["arbitrate.sql later_steps: left out: standing <> 'fresh' => true"],
  },
];
