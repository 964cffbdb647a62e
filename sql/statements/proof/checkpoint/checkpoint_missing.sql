-- The first day of site $1 that was closed after the log had begun and is not in it.
-- columns: local_date date
SELECT d.local_date
  FROM day_close d LEFT JOIN checkpoint c USING (site_id, local_date)
 WHERE d.site_id = $1::bigint AND c.local_date IS NULL
   AND d.close_number > (SELECT min(f.close_number) FROM checkpoint g
                           JOIN day_close f USING (site_id, local_date) WHERE g.site_id = $1::bigint)
 ORDER BY d.close_number LIMIT 1
