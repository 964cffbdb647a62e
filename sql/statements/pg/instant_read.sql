-- The instant that text $2 means at site $1: with $3 it has an offset of its own, else it is local time in
-- the zone of its date. A local time that a clock change skips or repeats is what PostgreSQL takes it for.
-- columns: instant_ms bigint
SELECT instant_ms(CASE WHEN $3::boolean THEN $2::text::timestamptz
                       ELSE $2::text::timestamp AT TIME ZONE coalesce((
                           SELECT z.time_zone FROM site_zone z
                            WHERE z.site_id = s.site_id AND z.from_date <= $2::text::timestamp::date
                            ORDER BY z.version DESC LIMIT 1), s.time_zone) END) AS instant_ms
  FROM site s WHERE s.site_id = $1::bigint
