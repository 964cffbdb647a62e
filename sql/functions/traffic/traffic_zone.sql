CREATE OR REPLACE FUNCTION traffic_zone(of_site bigint, at timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (SELECT coalesce((SELECT z.time_zone FROM site_zone z
                              WHERE z.site_id = s.site_id
                                AND z.from_date <= (traffic_zone.at AT TIME ZONE z.time_zone)::date
                              ORDER BY z.version DESC LIMIT 1), s.time_zone)
              FROM site s WHERE s.site_id = of_site);
COMMENT ON FUNCTION traffic_zone IS 'The time zone whose days a site counts its traffic by, at an instant.';
