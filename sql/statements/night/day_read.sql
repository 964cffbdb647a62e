-- One day: when it may be closed, and whether it is.
-- columns: due_ms bigint, closed boolean
SELECT instant_ms(d.ends_at) + $3::bigint AS due_ms, c.local_date IS NOT NULL AS closed
  FROM day d LEFT JOIN day_close c USING (site_id, local_date)
 WHERE d.site_id = $1::bigint AND d.local_date = $2::date
