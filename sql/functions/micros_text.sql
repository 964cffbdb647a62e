CREATE OR REPLACE FUNCTION micros_text(micros bigint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (micros / 1000000)::text || '.'
        || regexp_replace(lpad((micros % 1000000)::text, 6, '0'), '0{1,4}$', '');
COMMENT ON FUNCTION micros_text IS 'An amount that is not negative, with two to six decimals.';
