-- Balances of site $1 against what they are made of, and accruals of days that are not closed against what
-- was spent. What accounts of before owe stands with the present ones.
-- columns of audit_finding: subject text, problem text
WITH part AS (
    SELECT * FROM (SELECT DISTINCT ON (t.crawler_id) t.crawler_id, t.carried_out_micros AS micros
                     FROM crawler_day t JOIN day_close USING (site_id, local_date)
                    WHERE t.site_id = $1::bigint ORDER BY t.crawler_id, t.close_number DESC) AS carried
    UNION ALL
    SELECT i.crawler_id, CASE i.kind WHEN 'invoice' THEN 1 ELSE -1 END
           * i.total_minor * minor_micros(i.currency_decimals)
      FROM invoice i WHERE i.site_id = $1::bigint
    UNION ALL
    SELECT i.crawler_id, -p.amount_minor * minor_micros(i.currency_decimals)
      FROM invoice_payment p JOIN invoice i USING (site_id, number) WHERE p.site_id = $1::bigint
    UNION ALL
    SELECT a.crawler_id, a.amount_micros FROM crawler_accrual a
     WHERE a.site_id = $1::bigint AND NOT EXISTS (SELECT FROM day_close c WHERE c.site_id = a.site_id
                                                     AND c.local_date = a.local_date)
), due AS (
    SELECT account.crawler_id, sum(micros)::bigint AS micros
      FROM part JOIN crawler k USING (crawler_id)
      JOIN crawler account ON account.agent = crawler_account(k.agent)
     GROUP BY account.crawler_id
), stands AS (
    SELECT DISTINCT ON (b.crawler_id) b.crawler_id, b.owed_micros AS micros FROM account_balance b
     WHERE b.site_id = $1::bigint ORDER BY b.crawler_id, b.step DESC
), accrued AS (
    SELECT d.local_date, d.starts_at, d.ends_at FROM day_accrual a JOIN day d USING (site_id, local_date)
     WHERE a.site_id = $1::bigint AND NOT EXISTS (SELECT FROM day_close c WHERE c.site_id = a.site_id
                                                     AND c.local_date = a.local_date)
), spent AS (
    SELECT d.local_date, s.crawler_id, sum(s.amount_micros)::bigint AS micros
      FROM accrued d
      JOIN spend s ON s.site_id = $1::bigint AND s.quarter >= instant_ms(d.starts_at) / quarter_ms()
       AND s.quarter < instant_ms(d.ends_at) / quarter_ms()
     GROUP BY d.local_date, s.crawler_id
), noted AS (
    SELECT local_date, crawler_id, amount_micros AS micros
      FROM accrued JOIN crawler_accrual a USING (local_date) WHERE a.site_id = $1::bigint
)
SELECT 'account_balance of ' || k.agent AS subject,
       'says ' || coalesce(s.micros, 0) || ', what it is made of comes to ' || coalesce(d.micros, 0)
           AS problem
  FROM due d FULL JOIN stands s USING (crawler_id) JOIN crawler k USING (crawler_id)
 WHERE coalesce(d.micros, 0) <> coalesce(s.micros, 0)
UNION ALL
SELECT 'crawler_accrual ' || local_date || ' of ' || k.agent,
       'says ' || coalesce(n.micros, 0) || ', spent were ' || coalesce(s.micros, 0)
  FROM noted n FULL JOIN spent s USING (local_date, crawler_id) JOIN crawler k USING (crawler_id)
 WHERE n.micros IS DISTINCT FROM s.micros
 ORDER BY 1 LIMIT 20
