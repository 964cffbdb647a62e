-- The days from $2 to $3, both included, at site $1 (NULL: at each), as instants. NULL: up to the site's
-- today at clock $4, and the thirty days until then.
-- columns: site_id bigint, site text, currency text, time_zone text, first_date date, last_date date,
--   from_ms bigint, to_ms bigint
SELECT s.site_id, s.name AS site, s.currency, zone.name AS time_zone, span.first_date, span.last_date,
       instant_ms(span.first_date::timestamp AT TIME ZONE zone.name) AS from_ms,
       instant_ms((span.last_date + 1)::timestamp AT TIME ZONE zone.name) AS to_ms
  FROM site s
 CROSS JOIN LATERAL (
     SELECT coalesce((SELECT z.time_zone FROM site_zone z WHERE z.site_id = s.site_id
                       ORDER BY z.version DESC LIMIT 1), s.time_zone) AS name) AS zone
 CROSS JOIN LATERAL (
     SELECT coalesce($3::date, (instant($4::bigint) AT TIME ZONE zone.name)::date) AS last_date) AS until
 CROSS JOIN LATERAL (
     SELECT coalesce($2::date, until.last_date - 29) AS first_date, until.last_date) AS span
 WHERE $1::text IS NULL OR s.name = $1::text
 ORDER BY s.name
