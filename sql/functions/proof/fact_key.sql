CREATE OR REPLACE FUNCTION fact_key(of_source text, line jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_agg(line ->> part.name, '/' ORDER BY part.at)
      FROM fact_sources() s CROSS JOIN unnest(s.keys) WITH ORDINALITY AS part (name, at)
     WHERE s.source = of_source
$$;
COMMENT ON FUNCTION fact_key IS 'What tells a row of a table apart: its key''s columns, joined by slashes.';
