when 'baseline' then {{json "activated_at" (iso "coalesce(activated_at, active_since)")}}
      when 'invalid' then {{json "problem" "rule"}}
      when 'audience_failed' then {{json "audience" "rule"}}
      when 'converted' then {{json "goal" "goal" "reached_at" (iso "reached_at")}}
      when 'excluded' then {{json "audience" "rule"}}
      when 'no_consent' then {{json "audience" "rule"}}
      when 'suppressed' then {{json "because" "rule"}}
      when 'opted_out' then {{json "from" "rule"}}
      when 'expired' then {{json "waited_for" "rule" "window_ended_at" (iso "expires_at")}}
      when 'repeat_gap' then {{json "last_claimed_at" (iso "last_counting_at") "repeat_seconds" "repeat_seconds"}}
      when 'surge' then {{json "offered" "surge_offered" "limit" "surge_limit"}}
      when 'paused' then {{json "scope" "rule"}}
      when 'stale_data' then {{json "loaded_at" (iso "loaded_at") "due_at" (iso "due_at")}}
      when 'step_gap' then {{json "last_step_claimed_at" (iso "last_claim_at") "gap_seconds" (seconds_between "last_due_at" "due_at")}}
      when 'quiet_hours' then {{json "zone" "zone" "opens_at" (iso "opens_at")}}
      when 'cap' then {{json "cap" "cap" "used" "cap_used" "max" "cap_max" "window_seconds" "cap_seconds"}}
      when 'spacing' then {{json "last_claimed_at" (iso "spacing_last_at") "spacing_seconds" "spacing_seconds"}}
      when 'outranked' then {{json "winner" "winner" "by" "rule"}}
      when 'run_limit' then {{json "limit" "most" "of" "rule"}}
      when 'held_out' then {{json "holdout" "rule"}}