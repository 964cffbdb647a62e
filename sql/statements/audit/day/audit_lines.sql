-- Day $2 of site $1: the lines that its terms and adjustments make, computed again, against those stored.
-- columns of audit_finding: subject text, problem text
WITH due AS (
    SELECT * FROM billing_lines($1::bigint, $2::date)
), line AS (
    SELECT l.crawler_id, l.kind, l.rule, l.unit_price_micros, l.quantity, l.detail, l.adjustment_id,
           l.corrects
      FROM crawler_day_line l
     WHERE l.site_id = $1::bigint AND l.local_date = $2::date AND l.kind <> 'crawls'
), differing AS (
    SELECT 'should be there and is not' AS problem, d.* FROM (TABLE due EXCEPT TABLE line) AS d
    UNION ALL
    SELECT 'is there and should not', l.* FROM (TABLE line EXCEPT TABLE due) AS l
)
SELECT 'crawler_day_line ' || $2::text || ' ' || k.agent || ' ' || kind || ' "' || rule || '" '
           || quantity || ' at ' || micros_text(unit_price_micros) || ' ' || detail AS subject, problem
  FROM differing JOIN crawler k USING (crawler_id) ORDER BY 1, 2 LIMIT 20
