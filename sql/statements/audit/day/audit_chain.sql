-- Day $2 of site $1: the accounts that follow from its lines and the days before, against those stored.
-- columns of audit_finding: subject text, problem text
WITH due AS (
    SELECT * FROM billing_chain($1::bigint, $2::date)
), stored AS (
    SELECT t.crawler_id, t.agreement_id, t.period_end, t.period_crawls_before, t.period_micros_before,
           t.entries, t.sum_micros, t.terms_micros, t.adjusted_micros, t.carried_in_micros,
           t.invoiced_micros, t.credited_micros, t.carried_out_micros, t.reissued_micros
      FROM crawler_day t WHERE t.site_id = $1::bigint AND t.local_date = $2::date
), differing AS (
    SELECT 'should be ' AS problem, d.crawler_id, to_jsonb(d) - 'crawler_id' AS facts
      FROM (TABLE due EXCEPT TABLE stored) AS d
    UNION ALL
    SELECT 'is ', s.crawler_id, to_jsonb(s) - 'crawler_id' FROM (TABLE stored EXCEPT TABLE due) AS s
)
SELECT 'crawler_day ' || $2::text || ' ' || k.agent AS subject, problem || facts::text AS problem
  FROM differing JOIN crawler k USING (crawler_id) ORDER BY 1, 2 LIMIT 20
