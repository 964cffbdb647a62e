-- What is listed as not proven of site $1, against the entries and against what closed days say.
-- columns of audit_finding: subject text, problem text
WITH closed AS (
    SELECT d.local_date, x.unproven, (
               SELECT count(*) FROM unproven u WHERE u.site_id = d.site_id
                  AND u.payment_id >= uuid_floor(d.starts_at) AND u.payment_id < uuid_floor(d.ends_at)
           ) AS listed
      FROM day_close x JOIN day d USING (site_id, local_date) WHERE x.site_id = $1::bigint
)
SELECT 'day_close ' || c.local_date AS subject,
       'says ' || c.unproven || ' entries are not proven, listed are ' || c.listed AS problem
  FROM closed c WHERE c.unproven <> c.listed
UNION ALL
SELECT 'unproven ' || u.payment_id, CASE WHEN c.payment_id IS NULL THEN 'there is no such entry of the site'
           ELSE 'names crawler ' || u.crawler_id || ' and ' || micros_text(u.amount_micros) || ', its entry '
                || c.crawler_id || ' and ' || micros_text(c.amount_micros) END
  FROM unproven u LEFT JOIN LATERAL charge_of(u.payment_id) c ON c.site_id = u.site_id
 WHERE u.site_id = $1::bigint
   AND (c.payment_id IS NULL OR c.crawler_id <> u.crawler_id OR c.amount_micros <> u.amount_micros)
   AND NOT EXISTS (SELECT FROM archived v
                    WHERE v.utc_date = (uuid_instant(u.payment_id) AT TIME ZONE 'UTC')::date)
 ORDER BY 1 LIMIT 20
