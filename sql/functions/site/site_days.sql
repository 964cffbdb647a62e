CREATE OR REPLACE FUNCTION site_days(of_site bigint, first_date date, last_date date,
                                     first_starts_at timestamptz)
    RETURNS TABLE (local_date date, starts_at timestamptz, ends_at timestamptz, time_zone text)
    LANGUAGE sql STABLE AS $$
    SELECT tiled.local_date, tiled.starts_at, tiled.ends_at, tiled.time_zone
      FROM (SELECT planned.local_date, planned.time_zone, planned.ends_at,
                   coalesce(greatest(first_starts_at, max(planned.ends_at) OVER (ORDER BY planned.local_date
                                         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
                            planned.local_date::timestamp AT TIME ZONE planned.time_zone) AS starts_at
              FROM (SELECT at::date AS local_date, zone.time_zone,
                           (at + interval '1 day') AT TIME ZONE zone.time_zone AS ends_at
                      FROM site
                     CROSS JOIN generate_series(first_date::timestamp, last_date::timestamp,
                                                interval '1 day') AS at
                     CROSS JOIN LATERAL (SELECT coalesce((SELECT z.time_zone FROM site_zone z
                                             WHERE z.site_id = site.site_id AND z.from_date <= at
                                             ORDER BY z.version DESC LIMIT 1), site.time_zone)
                                        ) AS zone (time_zone)
                     WHERE site.site_id = of_site) AS planned) AS tiled
     WHERE tiled.starts_at < tiled.ends_at
$$;
COMMENT ON FUNCTION site_days IS 'The billing days of a range of local dates. Each ends at the midnight that
its zone gives it and starts where the one before it ends, the first at first_starts_at (NULL: its midnight):
so they tile whatever zones and their rules do. A date that a zone or a change of zone skips (Pacific/Apia
2011-12-30) has no length and is left out; the first day of a new zone is shorter or longer.';
