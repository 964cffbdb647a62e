CREATE OR REPLACE FUNCTION charge_partition(of_date date) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN 'charge_' || to_char(of_date, 'YYYYMMDD');
COMMENT ON FUNCTION charge_partition IS 'Name of the partition with the entries of a UTC day.';
