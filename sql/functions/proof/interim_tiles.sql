CREATE OR REPLACE FUNCTION interim_tiles(of_site bigint, from_id uuid, to_id uuid)
    RETURNS TABLE (tile bigint, entries bytea, sum_micros bigint)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
    SELECT l.tile,
           string_agg(uuid_send(l.payment_id)
                      || substr(sha256(convert_to(jsonb_strip_nulls(l.line)::text, 'UTF8')), 1, 8),
                      ''::bytea ORDER BY l.payment_id),
           sum(l.amount_micros)::bigint
      FROM (SELECT c.payment_id, c.amount_micros, to_jsonb(c) AS line,
                   (row_number() OVER (ORDER BY c.payment_id) - 1) / 256 AS tile
              FROM charge_range(from_id, to_id) c
             WHERE c.site_id = of_site) AS l
     GROUP BY l.tile
$$;
COMMENT ON FUNCTION interim_tiles IS 'Rows of interim_tile as the entries of a site make them, whose ids are
from from_id to before to_id, and what each comes to.';
