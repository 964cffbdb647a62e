CREATE OR REPLACE FUNCTION quarter_start(quarter bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN instant(quarter * quarter_ms());
COMMENT ON FUNCTION quarter_start IS 'When a quarter of an hour begins; they are numbered since 1970.';
