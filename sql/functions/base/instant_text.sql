CREATE OR REPLACE FUNCTION instant_text(at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
COMMENT ON FUNCTION instant_text IS 'An instant in UTC, as RFC 3339 writes it, to the millisecond.';
