-- Balances of site $1 against what they are made of, and accruals of days that are not closed against what
-- was spent. What accounts of before owe stands with the present ones. What was not delivered, or at a final
-- amount, may be reported after the day was accrued: the close takes that up. Nobody reads the steps before
-- an account's last: it is looked at whether one is missing, and to which day they count.
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
    SELECT d.local_date, d.starts_at, d.ends_at,
           EXISTS (SELECT FROM day_accrual a WHERE a.site_id = d.site_id AND a.local_date = d.local_date)
               AS listed
      FROM day d
     WHERE d.site_id = $1::bigint
       AND d.local_date IN (SELECT a.local_date FROM day_accrual a WHERE a.site_id = $1::bigint
                            UNION SELECT a.local_date FROM crawler_accrual a WHERE a.site_id = $1::bigint)
       AND NOT EXISTS (SELECT FROM day_close c WHERE c.site_id = d.site_id AND c.local_date = d.local_date)
), reversed AS (
    SELECT d.local_date, c.crawler_id,
           sum(c.amount_micros - coalesce(u.final_micros, 0))::bigint AS micros
      FROM accrued d
      JOIN undelivered u ON u.site_id = $1::bigint AND u.payment_id >= uuid_floor(d.starts_at)
       AND u.payment_id < uuid_floor(d.ends_at)
     CROSS JOIN LATERAL charge_of(u.payment_id) c
     GROUP BY d.local_date, c.crawler_id
), spent AS (
    SELECT d.local_date, s.crawler_id, sum(s.amount_micros)::bigint AS micros
      FROM accrued d
      JOIN spend s ON s.site_id = $1::bigint AND s.quarter >= instant_ms(d.starts_at) / quarter_ms()
       AND s.quarter < instant_ms(d.ends_at) / quarter_ms()
     GROUP BY d.local_date, s.crawler_id
), noted AS (
    SELECT local_date, crawler_id, amount_micros AS micros
      FROM accrued JOIN crawler_accrual a USING (local_date) WHERE a.site_id = $1::bigint
), taken AS (
    SELECT b.step, min(b.counted_to) AS first, max(b.counted_to) AS last,
           lag(b.step, 1, 0::bigint) OVER w AS before, lag(max(b.counted_to)) OVER w AS counted_before,
           lead(b.step) OVER w IS NULL AS newest
      FROM account_balance b WHERE b.site_id = $1::bigint GROUP BY b.step WINDOW w AS (ORDER BY b.step)
), counted AS (
    -- The last day that is in the balances, and the last of these that has changed one.
    SELECT coalesce((SELECT d.ends_at FROM counted_day($1::bigint) d), instant(0)) AS most,
           coalesce((SELECT max(d.ends_at) FROM day d
                      WHERE d.site_id = $1::bigint
                        AND (d.local_date IN (SELECT a.local_date FROM accrued a WHERE a.listed)
                             AND EXISTS (SELECT FROM crawler_accrual a WHERE a.site_id = d.site_id
                                            AND a.local_date = d.local_date)
                             OR d.local_date IN (SELECT c.local_date FROM day_close c
                                                   JOIN crawler_day USING (site_id, local_date)
                                                  WHERE c.site_id = $1::bigint))), instant(0)) AS least
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
  LEFT JOIN reversed r USING (local_date, crawler_id)
 WHERE n.micros IS NULL <> (s.micros IS NULL)
    OR n.micros - s.micros NOT BETWEEN 0 AND coalesce(r.micros, 0)
UNION ALL
SELECT 'day_accrual ' || a.local_date, 'is missing: the day''s accounts were accrued'
  FROM accrued a WHERE NOT a.listed
UNION ALL
SELECT 'account_balance step ' || t.step, w.problem
  FROM taken t CROSS JOIN counted c CROSS JOIN LATERAL (VALUES
           (t.step <> t.before + 1, 'follows step ' || t.before),
           (t.first <> t.last, 'counts to ' || instant_text(t.first) || ' and to ' || instant_text(t.last)),
           (t.last < t.counted_before, 'counts to ' || instant_text(t.last) || ', the one before it to '
                                       || instant_text(t.counted_before)),
           (t.newest AND t.last NOT BETWEEN c.least AND c.most,
            'counts to ' || instant_text(t.last) || ', the last day that is in it ends at '
                || instant_text(c.most))) AS w (wrong, problem)
 WHERE w.wrong
 ORDER BY 1 LIMIT 20
