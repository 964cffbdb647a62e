-- How many versions of agreements there are, as triggers count them: only ever more, so that a new number
-- says that there is something new. (A highest number would not: transactions do not commit in the order of
-- their numbers.)
-- columns: agreements bigint
SELECT coalesce(sum(n.last_number), 0)::bigint AS agreements
  FROM site s JOIN number_series n ON n.site_id = s.site_id AND n.series = 'agreement'
