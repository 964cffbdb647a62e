-- The closed days of site $1, the ids of their entries, whether some of these are in a file now, and whether
-- they were judged, with how many are not proven.
-- columns: local_date date, archived boolean, first_id uuid, end_id uuid, unproven bigint null
SELECT c.local_date, EXISTS (
           SELECT FROM archived a WHERE a.utc_date BETWEEN (d.starts_at AT TIME ZONE 'UTC')::date
              AND ((d.ends_at - interval '1 millisecond') AT TIME ZONE 'UTC')::date) AS archived,
       uuid_floor(d.starts_at) AS first_id, uuid_floor(d.ends_at) AS end_id, c.unproven
  FROM day_close c JOIN day d USING (site_id, local_date)
 WHERE c.site_id = $1::bigint ORDER BY c.local_date
