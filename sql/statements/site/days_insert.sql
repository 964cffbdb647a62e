-- Days of site $1 from the one in which the oldest valid offer was made to three days ahead of clock $2, and
-- what is missing between. They go on where the known ones end, in the zone that site_zone gives each; the
-- known ones stay as they are. A clock that is wildly wrong makes at most 40 days before and 400 after the
-- known ones, and none before a sealed one: nothing could be written into it.
WITH known AS (
    SELECT first.local_date AS first_date, last.local_date AS last_date, first.starts_at, last.ends_at,
           coalesce(last.time_zone, s.time_zone) AS time_zone
      FROM site s
      LEFT JOIN LATERAL (SELECT d.local_date, d.starts_at FROM day d WHERE d.site_id = s.site_id
                          ORDER BY d.local_date LIMIT 1) AS first ON true
      LEFT JOIN LATERAL (SELECT d.local_date, d.ends_at, d.time_zone FROM day d WHERE d.site_id = s.site_id
                          ORDER BY d.local_date DESC LIMIT 1) AS last ON true
     WHERE s.site_id = $1::bigint
), span AS (
    SELECT known.*,
           greatest(first_date - 40,
                    ((instant($2::bigint) - interval '1 hour') AT TIME ZONE time_zone)::date) AS from_date,
           least(last_date + 400, (instant($2::bigint) AT TIME ZONE time_zone)::date + 3) AS to_date
      FROM known
), later AS (
    SELECT d.*
      FROM span CROSS JOIN LATERAL site_days($1::bigint, coalesce(last_date + 1, from_date), to_date,
                                             span.ends_at) AS d
), earlier AS (
    SELECT d.local_date, d.starts_at,
           CASE WHEN lead(d.local_date) OVER (ORDER BY d.local_date) IS NULL THEN span.starts_at
                ELSE d.ends_at END AS ends_at, d.time_zone
      FROM span CROSS JOIN LATERAL site_days($1::bigint, from_date, first_date - 1, NULL) AS d
     WHERE NOT EXISTS (SELECT FROM day_seal WHERE site_id = $1::bigint)
)
INSERT INTO day (site_id, local_date, starts_at, ends_at, time_zone)
SELECT $1::bigint, local_date, starts_at, ends_at, time_zone
  FROM (SELECT * FROM later UNION ALL SELECT * FROM earlier) AS d WHERE starts_at < ends_at
ON CONFLICT DO NOTHING
