-- The days from $2 to $3, both included, at site $1 (NULL: at each), as instants. NULL: up to the site's
-- today at clock $4, and the thirty days until then; only today if $5 is 1. "yesterday" and "week" are the
-- day before the last one and the one a week before, until the end of the hour that goes on, "until";
-- "week_ends" is the end of all of the latter. "now" is the site's local time.
-- columns: site_id bigint, site text, currency text, time_zone text, first_date date, last_date date,
--   from_ms bigint, to_ms bigint, now text, until text, yesterday_from_ms bigint, yesterday_to_ms bigint,
--   week_from_ms bigint, week_to_ms bigint, week_ends_ms bigint
SELECT s.site_id, s.name AS site, s.currency, zone.name AS time_zone, span.first_date, span.last_date,
       instant_ms(span.first_date::timestamp AT TIME ZONE zone.name) AS from_ms,
       instant_ms((span.last_date + 1)::timestamp AT TIME ZONE zone.name) AS to_ms,
       to_char(local.now, 'HH24:MI') AS now,
       lpad(local.hours::text, 2, '0') || ':00' AS until,
       instant_ms((span.last_date - 1)::timestamp AT TIME ZONE zone.name) AS yesterday_from_ms,
       instant_ms(((span.last_date - 1)::timestamp + local.hours * interval '1 hour') AT TIME ZONE zone.name)
           AS yesterday_to_ms,
       instant_ms((span.last_date - 7)::timestamp AT TIME ZONE zone.name) AS week_from_ms,
       instant_ms(((span.last_date - 7)::timestamp + local.hours * interval '1 hour') AT TIME ZONE zone.name)
           AS week_to_ms,
       instant_ms((span.last_date - 6)::timestamp AT TIME ZONE zone.name) AS week_ends_ms
  FROM site s
 CROSS JOIN LATERAL traffic_zone(s.site_id, instant($4::bigint)) AS zone (name)
 CROSS JOIN LATERAL (
     SELECT at AS now, extract(hour FROM at)::integer + 1 AS hours
       FROM (SELECT instant($4::bigint) AT TIME ZONE zone.name AS at) AS wall) AS local
 CROSS JOIN LATERAL (
     SELECT coalesce($2::date, last_date - CASE $5::bigint WHEN 1 THEN 0 ELSE 29 END) AS first_date, last_date
       FROM (SELECT coalesce($3::date, local.now::date) AS last_date) AS until) AS span
 WHERE $1::text IS NULL OR s.name = $1::text
 ORDER BY s.name
