-- The instant that text $2 means at site $1: with $3 it has an offset of its own, else it is the site's
-- local time. A local time that a clock change skips or repeats is what PostgreSQL takes it for.
SELECT instant_ms(CASE WHEN $3::boolean THEN $2::text::timestamptz
                       ELSE $2::text::timestamp AT TIME ZONE time_zone END)
  FROM site WHERE site_id = $1::bigint
