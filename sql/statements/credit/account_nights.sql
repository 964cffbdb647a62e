-- For each site: when its newest sealed day was sealed, and when a night last closed one. NULL: never yet.
-- columns: site text, sealed_ms bigint null, closed_ms bigint null
SELECT s.name AS site,
       (SELECT instant_ms(coalesce(x.made_at, x.due_at)) FROM day_seal x
         WHERE x.site_id = s.site_id ORDER BY x.local_date DESC LIMIT 1) AS sealed_ms,
       (SELECT instant_ms(coalesce(c.made_at, c.due_at)) FROM day_close c
         WHERE c.site_id = s.site_id ORDER BY c.local_date DESC LIMIT 1) AS closed_ms
  FROM site s ORDER BY s.site_id
