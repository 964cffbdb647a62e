CREATE OR REPLACE FUNCTION hour_text(at timestamptz, zone text) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (SELECT to_char(hour AT TIME ZONE zone, 'YYYY-MM-DD"T"HH24:MI')
                   || CASE WHEN ahead < interval '0' THEN '-' ELSE '+' END
                   || to_char(greatest(ahead, -ahead), 'HH24:MI')
              FROM date_trunc('hour', at, zone) AS hour,
                   LATERAL (SELECT hour AT TIME ZONE zone - hour AT TIME ZONE 'UTC' AS ahead) AS offsets);
COMMENT ON FUNCTION hour_text IS 'The hour of a time zone that an instant is in, as RFC 3339 writes it without
seconds: an hour that comes twice, in autumn, has two texts.';
