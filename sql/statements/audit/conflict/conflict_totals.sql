-- Attempts to use a payment id of site $1 again: all of them, and those that are kept.
-- columns: attempts bigint, kept bigint
SELECT coalesce(sum(n.attempts), 0)::bigint AS attempts,
       (SELECT count(*) FROM conflict c WHERE c.site_id = $1::bigint) AS kept
  FROM conflict_count n WHERE n.site_id = $1::bigint
