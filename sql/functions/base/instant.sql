CREATE OR REPLACE FUNCTION instant(ms bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN timestamptz '1970-01-01 00:00:00+00' + ms * interval '1 millisecond';
COMMENT ON FUNCTION instant IS 'Milliseconds since 1970 as an instant. Times come from the gate''s clock,
never from now().';
