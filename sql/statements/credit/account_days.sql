-- For each site: its billing days from a day before clock $1, which are those that payment ids of now can
-- belong to, and whether each is sealed; the moment up to which its spending is in balances (0: nothing is),
-- and where that begins which is in none (NULL: there can be none yet).
-- columns: site text, starts_ms bigint, ends_ms bigint, sealed boolean, counted_ms bigint,
--   open_ms bigint null
SELECT s.name AS site, instant_ms(d.starts_at) AS starts_ms, instant_ms(d.ends_at) AS ends_ms,
       EXISTS (SELECT FROM day_seal x WHERE x.site_id = s.site_id AND x.local_date = d.local_date) AS sealed,
       coalesce(instant_ms(c.ends_at), 0) AS counted_ms, instant_ms(o.starts_at) AS open_ms
  FROM site s
 CROSS JOIN LATERAL (SELECT n.local_date, n.starts_at, n.ends_at FROM day n
                      WHERE n.site_id = s.site_id AND n.ends_at > instant($1::bigint) - interval '1 day'
                      ORDER BY n.ends_at LIMIT 10) AS d
  LEFT JOIN LATERAL counted_day(s.site_id) AS c ON true
  LEFT JOIN LATERAL open_day(s.site_id) AS o ON true
 ORDER BY s.site_id, d.starts_at
