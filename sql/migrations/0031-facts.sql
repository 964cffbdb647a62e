-- What money depends on beside the entries is sealed too: each row of these tables is noted as it is made,
-- and the night puts the notes into a second tree of its day.

CREATE TABLE fact (
    source text NOT NULL,
    key text NOT NULL,
    site_id bigint REFERENCES site,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    superuser text,
    PRIMARY KEY (source, key)
);
COMMENT ON TABLE fact IS 'A note of each row on which money depends, made with the row (note_facts): whoever
changes the row has to change the note too, and the tree of a closed day has that.';
COMMENT ON COLUMN fact.site_id IS 'NULL: of a table that is not about one site.';
COMMENT ON COLUMN fact.digest IS 'The hash of its leaf, as fact_digest makes it.';
COMMENT ON COLUMN fact.made_at IS 'By the server''s clock: those of the last days are looked through when a
day is closed, and no others.';
COMMENT ON COLUMN fact.superuser IS 'Who added the row, if it was a superuser, by whom no program of the
ledger works. NULL: a role of its own.';
CREATE INDEX fact_made ON fact (made_at);
SELECT make_append_only('fact');

CREATE TABLE day_fact (
    source text NOT NULL,
    key text NOT NULL,
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, key),
    FOREIGN KEY (source, key) REFERENCES fact,
    FOREIGN KEY (site_id, local_date) REFERENCES day
);
COMMENT ON TABLE day_fact IS 'In which closed day''s tree a fact is; there, facts are in the order of their
sources and keys, byte by byte. What is of no site goes into the tree that is made next.';
COMMENT ON COLUMN day_fact.digest IS 'As it is in the tree. Who changes a row and its note is named by this.';
CREATE INDEX day_fact_day ON day_fact (site_id, local_date);
CREATE INDEX day_fact_sealed ON day_fact (sealed_at);
SELECT make_append_only('day_fact');

CREATE OR REPLACE FUNCTION fact_sources() RETURNS TABLE (source text, keys text[], of_site boolean)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    VALUES ('adjustment', ARRAY['adjustment_id'], true),
           ('agreement', ARRAY['agreement_id'], true),
           ('agreement_price', ARRAY['agreement_id', 'position'], false),
           ('agreement_tier', ARRAY['agreement_id', 'from_crawl'], false),
           ('applied_credit', ARRAY['site_id', 'number', 'from_number', 'step'], true),
           ('archive', ARRAY['archive_id'], false),
           ('checkpoint_key_change', ARRAY['site_id', 'number'], true),
           ('crawler', ARRAY['crawler_id'], false),
           ('crawler_key', ARRAY['crawler_id', 'thumbprint'], false),
           ('crawler_key_source', ARRAY['crawler_id', 'thumbprint', 'url', 'body_digest'], false),
           ('directory_snapshot', ARRAY['url', 'body_digest'], false),
           ('invoice', ARRAY['site_id', 'number'], true),
           ('invoice_event', ARRAY['site_id', 'number', 'step'], true),
           ('invoice_line', ARRAY['site_id', 'number', 'line'], true),
           ('invoice_payment', ARRAY['site_id', 'number', 'reference'], true),
           ('offer_terms', ARRAY['site_id', 'terms_url', 'ttl_seconds'], true),
           ('operator_action', ARRAY['action_id'], false),
           ('seller_logo', ARRAY['digest'], false),
           ('settlement', ARRAY['site_id', 'number', 'rail', 'attempt'], true),
           ('settlement_batch', ARRAY['batch_id'], true),
           ('site', ARRAY['site_id'], false),
           ('site_terms', ARRAY['site_id', 'version'], true),
           ('site_zone', ARRAY['site_id', 'version'], true),
           ('undelivered', ARRAY['payment_id'], true),
           ('unproven', ARRAY['payment_id'], true)
$$;
COMMENT ON FUNCTION fact_sources IS 'The tables whose rows are facts, the columns that tell their rows apart,
and whether each row is a site''s, by its column site_id. A site''s own row is of none: who takes it away
takes away all that would be audited. What follows from facts and entries alone is computed again and is no
fact.';

CREATE OR REPLACE FUNCTION fact_key(of_source text, line jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_agg(line ->> part.name, '/' ORDER BY part.at)
      FROM fact_sources() s CROSS JOIN unnest(s.keys) WITH ORDINALITY AS part (name, at)
     WHERE s.source = of_source
$$;
COMMENT ON FUNCTION fact_key IS 'What tells a row of a table apart: its key''s columns, joined by slashes.';

CREATE OR REPLACE FUNCTION fact_digest(of_source text, of_key text, line jsonb) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sha256('\x00'::bytea || convert_to(
        of_source || E'\n' || of_key || E'\n' ||
        (SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each(line) c WHERE c.value <> 'null')::text ||
        E'\n', 'UTF8'));
COMMENT ON FUNCTION fact_digest IS 'The leaf hash (RFC 6962) of a row: of its table, its key and its columns
as JSON, in lines. Columns that are NULL do not count: a column that a later migration adds changes no
digest. What is null within a column of JSON does.';

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

REVOKE ALL ON FUNCTION note_facts FROM PUBLIC;

DO $$
DECLARE
    source text;
BEGIN
    FOR source IN SELECT s.source FROM fact_sources() s LOOP
        EXECUTE format('CREATE TRIGGER noted AFTER INSERT ON %I REFERENCING NEW TABLE AS added'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION note_facts()', source);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER noted', source);
    END LOOP;
    -- What is there already is sealed with the next day that is closed.
    INSERT INTO fact (source, key, site_id, digest)
    SELECT s.source, f.key, of.site_id, f.digest
      FROM fact_sources() s JOIN (SELECT site_id FROM site UNION ALL SELECT NULL) AS of (site_id)
           ON s.of_site = (of.site_id IS NOT NULL)
     CROSS JOIN LATERAL facts_of(s.source, of.site_id) f;
    EXECUTE format('GRANT SELECT ON fact, day_fact TO %I', current_setting('crawltab.operator_role'));
    EXECUTE format('GRANT INSERT ON day_fact TO %I', current_setting('crawltab.operator_role'));
END
$$;
