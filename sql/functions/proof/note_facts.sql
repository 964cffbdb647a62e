CREATE OR REPLACE FUNCTION note_facts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
BEGIN
    -- Gates tell with every batch of entries whom they know already: then there is nothing to note.
    IF EXISTS (SELECT FROM added) THEN
        -- A note that is there already is of a row that somebody took away. It stays as it is, so that the
        -- audit names the row, and the gate goes on.
        INSERT INTO fact (source, key, site_id, digest, superuser)
        SELECT s.source, f.key, CASE WHEN s.of_site THEN (line ->> 'site_id')::bigint END,
               fact_digest(s.source, f.key, line),
               (SELECT r.rolname FROM pg_roles r WHERE r.rolname = session_user AND r.rolsuper
                   AND r.rolname <> current_user)
          FROM fact_sources() s, (SELECT to_jsonb(a) AS line FROM added a) AS r,
               LATERAL (SELECT fact_key(s.source, line)) AS f (key)
         WHERE s.source = TG_TABLE_NAME
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION note_facts IS 'Trigger of every table of fact_sources: notes the rows that are added. With
the owner''s rights: nobody else may write facts.';
