CREATE OR REPLACE FUNCTION rate_text(ppm integer) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(micros_text(ppm::bigint * 100), '[.]?0+$', '') || ' %';
COMMENT ON FUNCTION rate_text IS 'Millionths in per cent, without zeros at the end: 190000 is "19 %".';
