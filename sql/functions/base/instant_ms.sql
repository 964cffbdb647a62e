CREATE OR REPLACE FUNCTION instant_ms(at timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN floor(extract(epoch FROM at) * 1000)::bigint;
COMMENT ON FUNCTION instant_ms IS 'An instant in milliseconds since 1970, rounded down.';
