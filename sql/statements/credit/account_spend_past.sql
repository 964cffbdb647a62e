-- What was spent in quarters $1 to before $2, into which nobody writes any more: by site, crawler and billing
-- day. What belongs to no day of its site is nowhere billed, and not counted.
-- columns: site text, agent text, day_ms bigint, amount_micros bigint
WITH slot AS (
    SELECT s.site_id, s.name, quarter, d.starts_at
      FROM site s
     CROSS JOIN generate_series($1::bigint, $2::bigint - 1) AS quarter
     CROSS JOIN LATERAL (SELECT n.starts_at FROM day n
                          WHERE n.site_id = s.site_id AND n.ends_at > quarter_start(quarter)
                          ORDER BY n.ends_at LIMIT 1) AS d
     WHERE d.starts_at <= quarter_start(quarter)
), sums AS (
    SELECT slot.name, slot.starts_at, n.crawler_id, sum(n.amount_micros)::bigint AS micros
      FROM spend n JOIN slot USING (site_id, quarter)
     WHERE n.quarter >= $1::bigint AND n.quarter < $2::bigint
     GROUP BY slot.name, slot.starts_at, n.crawler_id
)
SELECT sums.name AS site, k.agent, instant_ms(sums.starts_at) AS day_ms, sums.micros AS amount_micros
  FROM sums JOIN crawler k USING (crawler_id)
