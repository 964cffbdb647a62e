-- The oldest open day of site $1 up to date $2 (NULL: no limit), when it may be closed: $3 milliseconds after
-- its end, when no entry of the day can arrive any more, and whether it is sealed.
-- columns: local_date date, due_ms bigint, sealed boolean
SELECT d.local_date, instant_ms(d.ends_at) + $3::bigint AS due_ms,
       EXISTS (SELECT FROM day_seal s WHERE s.site_id = d.site_id AND s.local_date = d.local_date)
           AS sealed
  FROM day d
 WHERE d.site_id = $1::bigint AND ($2::date IS NULL OR d.local_date <= $2::date)
   AND NOT EXISTS (SELECT FROM day_close c WHERE c.site_id = d.site_id AND c.local_date = d.local_date)
 ORDER BY d.local_date LIMIT 1
