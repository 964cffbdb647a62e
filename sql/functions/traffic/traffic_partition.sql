CREATE OR REPLACE FUNCTION traffic_partition(of_hour timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN 'traffic_' || to_char(of_hour AT TIME ZONE 'UTC', 'YYYYMMDDHH24');
COMMENT ON FUNCTION traffic_partition IS 'Name of the partition with what was written in an hour.';
