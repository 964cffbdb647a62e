-- Before site $1 gets zone $2: its number, the first date that has no day yet, whether PostgreSQL knows the
-- zone, and the zone as it was recorded last.
-- columns: site_id bigint, first_date date, known boolean, time_zone text
SELECT s.site_id,
       coalesce((SELECT max(d.local_date) + 1 FROM day d WHERE d.site_id = s.site_id), '-infinity')
           AS first_date,
       EXISTS (SELECT FROM pg_timezone_names WHERE name = $2::text) AS known,
       coalesce((SELECT z.time_zone FROM site_zone z WHERE z.site_id = s.site_id
                  ORDER BY z.version DESC LIMIT 1), s.time_zone) AS time_zone
  FROM site s WHERE s.name = $1::text
