-- Promise P4 as a whole, for each crawler of site $1: what its days come to is what was invoiced, less what
-- was credited, and what is carried.
-- columns of audit_finding: subject text, problem text
WITH entered AS (
    SELECT l.crawler_id, sum(l.amount_micros) AS micros FROM crawler_day_line l
     WHERE l.site_id = $1::bigint GROUP BY l.crawler_id
), billed AS (
    SELECT i.crawler_id, sum(CASE i.kind WHEN 'invoice' THEN i.net_micros ELSE -i.net_micros END) AS micros
      FROM invoice i WHERE i.site_id = $1::bigint GROUP BY i.crawler_id
), carried AS (
    SELECT DISTINCT ON (t.crawler_id) t.crawler_id, t.carried_out_micros AS micros
      FROM crawler_day t WHERE t.site_id = $1::bigint ORDER BY t.crawler_id, t.close_number DESC
)
SELECT 'account of ' || k.agent AS subject,
       'its days come to ' || coalesce(e.micros, 0) || ', invoices to ' || coalesce(b.micros, 0)
           || ', carried are ' || coalesce(c.micros, 0) AS problem
  FROM entered e FULL JOIN billed b USING (crawler_id) FULL JOIN carried c USING (crawler_id)
  JOIN crawler k USING (crawler_id)
 WHERE coalesce(e.micros, 0) <> coalesce(b.micros, 0) + coalesce(c.micros, 0)
 ORDER BY 1 LIMIT 20
