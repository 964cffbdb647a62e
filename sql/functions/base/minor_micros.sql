CREATE OR REPLACE FUNCTION minor_micros(decimals smallint) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE decimals WHEN 0 THEN 1000000 WHEN 1 THEN 100000 WHEN 2 THEN 10000 WHEN 3 THEN 1000
                         WHEN 4 THEN 100 END::bigint;
COMMENT ON FUNCTION minor_micros IS 'Micro-units in a currency''s minor unit. Not 10 ^ n, which is
floating point.';
