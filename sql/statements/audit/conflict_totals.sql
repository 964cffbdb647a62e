-- Attempts to use a payment id of site $1 again: all of them, and those that are kept.
SELECT coalesce(sum(n.attempts), 0)::bigint,
       (SELECT count(*) FROM conflict c WHERE c.site_id = $1::bigint)
  FROM conflict_count n WHERE n.site_id = $1::bigint
