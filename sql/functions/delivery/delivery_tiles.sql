CREATE OR REPLACE FUNCTION delivery_tiles(of_site bigint, from_id uuid, to_id uuid)
    RETURNS TABLE (first_id uuid, deliveries bytea)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
    SELECT (array_agg(l.payment_id ORDER BY l.payment_id, l.repeated))[1],
           string_agg(uuid_send(l.payment_id) || l.digest, ''::bytea ORDER BY l.payment_id, l.repeated)
      FROM (SELECT d.payment_id, d.repeated, delivery_digest(to_jsonb(d)) AS digest,
                   (uuid_instant(d.payment_id) AT TIME ZONE 'UTC')::date AS utc_date,
                   (row_number() OVER (PARTITION BY (uuid_instant(d.payment_id) AT TIME ZONE 'UTC')::date
                                       ORDER BY d.payment_id, d.repeated) - 1) / 256 AS tile
              FROM delivery d
             WHERE d.site_id = of_site AND d.payment_id >= from_id AND d.payment_id < to_id) AS l
     GROUP BY l.utc_date, l.tile
$$;
COMMENT ON FUNCTION delivery_tiles IS 'Rows of delivery_tile as deliveries of a site make them, whose ids are
from from_id to before to_id. None reaches over a UTC midnight, at which days part when they are archived.';
