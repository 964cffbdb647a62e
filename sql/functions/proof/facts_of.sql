CREATE OR REPLACE FUNCTION facts_of(of_source text, of_site_id bigint) RETURNS TABLE (key text, digest bytea)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
DECLARE
    sited boolean := (SELECT s.of_site FROM fact_sources() s WHERE s.source = of_source);
BEGIN
    IF sited = (of_site_id IS NOT NULL) THEN
        RETURN QUERY EXECUTE format(
            'SELECT f.key, public.fact_digest($1, f.key, line)'
            '  FROM (SELECT to_jsonb(t) AS line FROM public.%I t %s) AS r,'
            '       LATERAL (SELECT public.fact_key($1, line)) AS f (key)',
            of_source, CASE WHEN sited THEN 'WHERE t.site_id = $2' END) USING of_source, of_site_id;
    END IF;
END
$$;
COMMENT ON FUNCTION facts_of IS 'The facts that the rows of a table are now: those of a site, or, with NULL,
those of none.';
