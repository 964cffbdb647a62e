-- The last change of balances at each site, in order.
-- columns: site_id bigint, step bigint
SELECT s.site_id, coalesce((SELECT b.step FROM account_balance b WHERE b.site_id = s.site_id
                             ORDER BY b.step DESC LIMIT 1), 0) AS step
  FROM site s
 ORDER BY s.site_id
