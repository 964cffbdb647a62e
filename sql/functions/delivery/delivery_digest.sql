CREATE OR REPLACE FUNCTION delivery_digest(line jsonb) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sha256(convert_to(jsonb_strip_nulls(line)::text, 'UTF8'));
COMMENT ON FUNCTION delivery_digest IS 'Of a row of delivery as JSON, of which columns that are NULL do not
count: a column that a later migration adds changes no digest.';
