-- Days of site $1 from the one in which the oldest valid offer was made to three days ahead of clock $2,
-- and what is missing between. A new day starts where the stored one before it ends, whatever the zone's
-- rules say now; days that a zone skipped (Pacific/Apia 2011-12-30) have no length and no row. A clock
-- that is wildly wrong makes at most 40 days before and 400 after the known ones.
WITH place AS (
    SELECT site_id, time_zone FROM site WHERE site_id = $1::bigint
), known AS (
    SELECT min(local_date) AS first, max(local_date) AS last, min(starts_at) AS starts_at,
           max(ends_at) AS ends_at
      FROM day WHERE site_id = $1::bigint
), span AS (
    SELECT place.*, known.*,
           least(first, greatest(first - 40,
                 ((instant($2::bigint) - interval '1 hour') AT TIME ZONE time_zone)::date)) AS from_date,
           greatest(last, least(last + 400,
               (instant($2::bigint) AT TIME ZONE time_zone)::date + 3)) AS to_date
      FROM place CROSS JOIN known
), fresh AS (
    SELECT span.*, at::date AS local_date
      FROM span, generate_series(from_date::timestamp, to_date::timestamp, interval '1 day') AS at
     WHERE NOT EXISTS (SELECT FROM day d WHERE d.site_id = span.site_id AND d.local_date = at::date)
), bounded AS (
    SELECT site_id, local_date, time_zone,
           CASE WHEN local_date = last + 1 THEN ends_at
                ELSE local_date::timestamp AT TIME ZONE time_zone END AS starts_at,
           CASE WHEN local_date = first - 1 THEN starts_at
                ELSE (local_date + 1)::timestamp AT TIME ZONE time_zone END AS ends_at
      FROM fresh
)
INSERT INTO day (site_id, local_date, starts_at, ends_at, time_zone)
SELECT site_id, local_date, starts_at, ends_at, time_zone FROM bounded WHERE starts_at < ends_at
ON CONFLICT DO NOTHING
