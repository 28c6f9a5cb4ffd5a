-- Tables of one run: rows as the segments returned them, members of audiences, decisions, and outcomes on their way to the ledger.
{{create_work "segment_rows"}} (
  segment {{types.text}}, dropped {{types.text}}, user_id {{types.text}}, item_key {{types.text}}, occurred_at {{types.timestamp}},
  {{address_columns type=types.text}}, timezone {{types.text}}, locale {{types.text}},
  problems {{types.text}}, properties {{types.text}}, size {{types.bigint}}, kept {{types.text}}
);
{{create_work "audience_members"}} (
  audience {{types.text}}, user_id {{types.text}}, reached_at {{types.timestamp}}, timeless {{types.bigint}}
);
{{create_work "decisions"}} (
  message_id {{types.text}}, segment {{types.text}}, segment_version {{types.text}}, step {{types.text}}, variant {{types.text}}, factor {{types.text}},
  user_id {{types.text}}, item_key {{types.text}}, class {{types.text}}, priority {{types.bigint}}, channel {{types.text}}, topic {{types.text}},
  template {{types.text}}, template_version {{types.text}}, occurred_at {{types.timestamp}}, counts_from {{types.timestamp}},
  due_at {{types.timestamp}}, expires_at {{types.timestamp}}, send_by {{types.timestamp}}, event {{types.text}}, reason {{types.text}},
  rule {{types.text}}, detail {{types.text}}, settles {{types.bigint}}, counts {{types.bigint}}, address {{types.text}}, changed {{types.bigint}}, is_new {{types.bigint}}, row_count {{types.bigint}}, place {{types.bigint}}
);
{{create_work "outcomes"}} (
  place {{types.bigint}}, message_id {{types.text}}, event {{types.text}}, reason {{types.text}}, rule {{types.text}}, detail {{types.text}},
  provider_id {{types.text}}, recorded_at {{types.timestamp}}
);
