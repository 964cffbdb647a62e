-- How often tokens were made or revoked, as triggers count it: a new number says that there is something new.
-- columns: changes bigint
SELECT coalesce(sum(n.last_number), 0)::bigint AS changes
  FROM site s JOIN number_series n ON n.site_id = s.site_id AND n.series = 'token'
