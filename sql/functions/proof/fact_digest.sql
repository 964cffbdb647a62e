CREATE OR REPLACE FUNCTION fact_digest(of_source text, of_key text, line jsonb) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sha256('\x00'::bytea || convert_to(
        of_source || E'\n' || of_key || E'\n' ||
        (SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each(line) c WHERE c.value <> 'null')::text ||
        E'\n', 'UTF8'));
COMMENT ON FUNCTION fact_digest IS 'The leaf hash (RFC 6962) of a row: of its table, its key and its columns
as JSON, in lines. Columns that are NULL do not count: a column that a later migration adds changes no
digest. What is null within a column of JSON does.';
