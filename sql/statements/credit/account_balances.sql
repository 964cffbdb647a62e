-- Where accounts stand, $3 of them after that of site $1 and crawler $2. Steps through the index from one to
-- the next, however many rows each has.
-- columns of account_balance: site text, agent text, owed_micros bigint, counted_ms bigint, site_id bigint,
--   crawler_id bigint, step bigint
WITH RECURSIVE account AS (
    (SELECT site_id, crawler_id FROM account_balance
      WHERE (site_id, crawler_id) > ($1::bigint, $2::bigint) ORDER BY site_id, crawler_id LIMIT 1)
    UNION ALL
    SELECT following.site_id, following.crawler_id
      FROM account p
     CROSS JOIN LATERAL (SELECT site_id, crawler_id FROM account_balance n
                          WHERE (n.site_id, n.crawler_id) > (p.site_id, p.crawler_id)
                          ORDER BY site_id, crawler_id LIMIT 1) AS following
)
SELECT s.name AS site, k.agent, last.owed_micros, instant_ms(last.counted_to) AS counted_ms, page.site_id,
       page.crawler_id, last.step
  FROM (SELECT * FROM account LIMIT $3::bigint) AS page
 CROSS JOIN LATERAL (SELECT b.step, b.owed_micros, b.counted_to
                       FROM account_balance b
                      WHERE b.site_id = page.site_id AND b.crawler_id = page.crawler_id
                      ORDER BY b.step DESC LIMIT 1) AS last
  JOIN site s ON s.site_id = page.site_id
  JOIN crawler k ON k.crawler_id = page.crawler_id
 ORDER BY page.site_id, page.crawler_id
