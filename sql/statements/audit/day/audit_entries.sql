-- Day $2 of site $1: its entries that are billed, by crawler, rule and price, against its lines.
-- columns of audit_finding: subject text, problem text
WITH entered AS (
    SELECT c.crawler_id, c.rule, c.amount_micros AS price, count(*) AS quantity
      FROM billing_day($1::bigint, $2::date) b
      JOIN LATERAL billable_range(b.first_id, b.end_id) c ON c.site_id = $1::bigint
     GROUP BY c.crawler_id, c.rule, c.amount_micros
), line AS (
    SELECT l.crawler_id, l.rule, l.unit_price_micros AS price, l.quantity
      FROM crawler_day_line l
     WHERE l.site_id = $1::bigint AND l.local_date = $2::date AND l.kind = 'crawls'
)
SELECT 'crawler_day_line ' || $2::text || ' ' || k.agent || ' "' || rule || '" at ' || micros_text(price)
           AS subject,
       'says ' || coalesce(line.quantity, 0) || ' crawls, its entries are ' || coalesce(entered.quantity, 0)
           AS problem
  FROM entered FULL JOIN line USING (crawler_id, rule, price) JOIN crawler k USING (crawler_id)
 WHERE entered.quantity IS DISTINCT FROM line.quantity
 ORDER BY 1 LIMIT 20
