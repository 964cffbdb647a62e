CREATE OR REPLACE FUNCTION share_of(amount bigint, ppm integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN div(amount::numeric * ppm, 1000000)::bigint;
COMMENT ON FUNCTION share_of IS 'So many millionths, rounded down.';
