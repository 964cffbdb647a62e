CREATE OR REPLACE FUNCTION day_partition(parent text, of_date date) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN parent || '_' || to_char(of_date, 'YYYYMMDD');
COMMENT ON FUNCTION day_partition IS 'Name of a table''s partition with what belongs to a UTC day.';
