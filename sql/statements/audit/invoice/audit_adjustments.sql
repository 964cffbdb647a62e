-- Adjustments of site $1: of a charge that is there, no more than it, and taken up when their day closed;
-- what was not delivered, or is above a final amount, is taken back by then.
-- columns of audit_finding: subject text, problem text
SELECT 'adjustment ' || a.adjustment_id AS subject,
       'corrects payment ' || a.payment_id || ', which is no charge of its crawler at this site' AS problem
  FROM adjustment a
  LEFT JOIN LATERAL charge_of(a.payment_id) c ON c.site_id = a.site_id AND c.crawler_id = a.crawler_id
 WHERE a.site_id = $1::bigint AND a.payment_id IS NOT NULL AND c.payment_id IS NULL
   AND NOT EXISTS (SELECT FROM archived v
                    WHERE v.utc_date = (uuid_instant(a.payment_id) AT TIME ZONE 'UTC')::date)
UNION ALL
SELECT 'charge ' || c.payment_id, 'more was taken back than the ' || c.amount_micros || ' charged'
  FROM adjustment a CROSS JOIN LATERAL charge_of(a.payment_id) c
 WHERE a.site_id = $1::bigint
 GROUP BY c.payment_id, c.amount_micros HAVING sum(a.amount_micros) > c.amount_micros
UNION ALL
SELECT 'adjustment ' || a.adjustment_id, 'is on no invoice and no credit note, though its day is closed'
  FROM adjustment a
  JOIN day d ON d.site_id = a.site_id AND d.starts_at <= uuid_instant(a.adjustment_id)
   AND d.ends_at > uuid_instant(a.adjustment_id)
  JOIN day_close c ON c.site_id = a.site_id AND c.local_date = d.local_date
 WHERE a.site_id = $1::bigint
   AND NOT EXISTS (SELECT FROM crawler_day_line l WHERE l.adjustment_id = a.adjustment_id)
   AND NOT EXISTS (SELECT FROM unproven u WHERE u.payment_id = a.payment_id)
UNION ALL
SELECT 'payment ' || b.payment_id,
       'was not delivered, or at a final amount, and ' || b.amount_micros || ' too much of it is billed'
  FROM (SELECT DISTINCT d.local_date
          FROM undelivered u
          JOIN day d ON d.site_id = u.site_id AND d.starts_at <= uuid_instant(u.payment_id)
           AND d.ends_at > uuid_instant(u.payment_id)
          JOIN day_close c ON c.site_id = d.site_id AND c.local_date = d.local_date
         WHERE u.site_id = $1::bigint) AS closed
 CROSS JOIN LATERAL billing_undelivered($1::bigint, closed.local_date) b
 LIMIT 20
