-- One day: when it may be closed, and whether it is.
SELECT instant_ms(d.ends_at) + $3::bigint, c.local_date IS NOT NULL
  FROM day d LEFT JOIN day_close c USING (site_id, local_date)
 WHERE d.site_id = $1::bigint AND d.local_date = $2::date
