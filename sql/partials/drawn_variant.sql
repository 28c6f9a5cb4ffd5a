case
      when s.variant = '' then true
      when {{first}} <> '' and replace(s.siblings, '|' || {{first}} || '|', '') <> s.siblings then s.variant = {{first}}
      else {{drawn}} >= s.from_bucket and {{drawn}} < s.to_bucket
    end