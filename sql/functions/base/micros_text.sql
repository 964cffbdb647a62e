CREATE OR REPLACE FUNCTION micros_text(micros bigint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(minor_text(micros, 6::smallint), '0{1,4}$', '');
COMMENT ON FUNCTION micros_text IS 'An amount in micro-units, with two to six decimals.';
