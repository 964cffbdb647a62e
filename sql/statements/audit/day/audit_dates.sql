-- The closed days of site $1, and whether entries of theirs are in a file now.
-- columns: local_date date, archived boolean
SELECT c.local_date, EXISTS (
           SELECT FROM archived a WHERE a.utc_date BETWEEN (d.starts_at AT TIME ZONE 'UTC')::date
              AND ((d.ends_at - interval '1 millisecond') AT TIME ZONE 'UTC')::date) AS archived
  FROM day_close c JOIN day d USING (site_id, local_date)
 WHERE c.site_id = $1::bigint ORDER BY c.local_date
