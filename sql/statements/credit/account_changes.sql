-- How balances of each site have changed since crawler $3 of step $2 of site $1, in order, $4 of each at
-- most.
-- columns of account_balance: site text, agent text, owed_micros bigint, counted_ms bigint, site_id bigint,
--   crawler_id bigint, step bigint
SELECT s.name AS site, k.agent, b.owed_micros, instant_ms(b.counted_to) AS counted_ms, s.site_id,
       b.crawler_id, b.step
  FROM site s
  LEFT JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS mark (site_id, step, crawler_id)
       USING (site_id)
 CROSS JOIN LATERAL (SELECT n.step, n.crawler_id, n.owed_micros, n.counted_to FROM account_balance n
                      WHERE n.site_id = s.site_id
                        AND (n.step, n.crawler_id) > (coalesce(mark.step, 0), coalesce(mark.crawler_id, 0))
                      ORDER BY n.step, n.crawler_id LIMIT $4::bigint) AS b
  JOIN crawler k ON k.crawler_id = b.crawler_id
 ORDER BY s.site_id, b.step, b.crawler_id
