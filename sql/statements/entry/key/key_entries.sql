-- The last payments with the key of thumbprint $1 by crawler $2: of quarters of an hour in which it has paid,
-- the last ones of days that are open, and of the last closed days in which it had any. So no more is read of
-- the entries than a few quarters of an hour.
-- columns: payment_id uuid, site text, currency text, offered_ms bigint, resource text, amount_micros bigint
WITH recent AS (
    (SELECT d.starts_at, d.ends_at FROM day d
      WHERE NOT EXISTS (SELECT FROM day_close c WHERE c.site_id = d.site_id AND c.local_date = d.local_date)
        AND d.starts_at < clock_timestamp() + interval '1 hour')
    UNION
    (SELECT d.starts_at, d.ends_at FROM site s CROSS JOIN LATERAL (
         SELECT t.local_date FROM crawler_day t
          WHERE t.site_id = s.site_id AND t.crawler_id = $2::bigint AND t.entries > 0
          ORDER BY t.close_number DESC LIMIT 2) AS t
       JOIN day d ON d.site_id = s.site_id AND d.local_date = t.local_date)
), quarter AS (
    SELECT DISTINCT p.quarter FROM recent r JOIN spend p ON p.crawler_id = $2::bigint
       AND p.quarter >= instant_ms(r.starts_at) / quarter_ms()
       AND p.quarter < instant_ms(r.ends_at) / quarter_ms()
     ORDER BY p.quarter DESC LIMIT 16
)
SELECT c.payment_id, s.name AS site, s.currency, instant_ms(uuid_instant(c.payment_id)) AS offered_ms,
       c.resource, c.amount_micros
  FROM quarter q
  JOIN LATERAL charge_range(uuid_floor(quarter_start(q.quarter)), uuid_floor(quarter_start(q.quarter + 1))) c
    ON c.crawler_id = $2::bigint AND c.thumbprint = $1::bytea
  JOIN site s USING (site_id)
 ORDER BY c.payment_id DESC LIMIT 10
